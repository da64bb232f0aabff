/* SPDX-License-Identifier: ISC */
/*
 * Pulling.
 */
#include "core/file_pull.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/files_outcome.h"
#include "crypto/digest.h"
#include "net/pipe.h"

enum {
    READS_MAX = 4,
    READ_SIZE = 64 * 1024, /* bytes at once; a turn reads no more than four of these */
};

static void end(struct file_pull *pull, int r)
{
    pull->over(pull->context, pull, r);
}

static void expect(struct file_pull *pull, size_t size)
{
    pull->wanted = size;
    pull->filled = pull->given = 0;
    pull->giving = false;
}

static uint64_t part_size(const struct file_pull *pull)
{
    return pull->phase == PULL_MANIFEST ? pull->offer.manifest_size : pull->offer.data_size;
}

/* Expects the next chunk of the part, or of the next one. False: that was all. */
static bool expect_chunk(struct file_pull *pull)
{
    const uint64_t chunk = UINT64_C(1) << pull->offer.chunk_log2;
    if (pull->phase == PULL_MANIFEST && pull->done == part_size(pull)) {
        pull->phase = PULL_DATA;
        pull->done = pull->offset;
    }
    const uint64_t left = part_size(pull) - pull->done;
    expect(pull, (size_t)(left < chunk ? left : chunk));
    return left > 0;
}

/* --- comparing -------------------------------------------------------------------------------- */

static int take_answer(struct file_pull *pull)
{
    switch (pull->buffer[0]) {
    case FILE_COMING:
        timer_disarm(pull->timer);
        pull->phase = PULL_HASHES;
        expect(pull, file_hashes_size(&pull->offer));
        return 0;
    case FILE_BUSY:
        return FILES_BUSY;
    case FILE_UNKNOWN:
        return FILES_GONE;
    default:
        return FILES_LOST;
    }
}

static int take_hashes(struct file_pull *pull)
{
    uint8_t root[FILE_HASH_SIZE];
    int r = file_root(&pull->offer, SPAN(pull->hashes, pull->filled), root);
    if (r < 0)
        return r;
    if (memcmp(root, pull->offer.root, sizeof root) != 0)
        return FILES_DAMAGED;
    pull->phase = PULL_MANIFEST;
    expect_chunk(pull);
    return 0;
}

static int take_chunk(struct file_pull *pull)
{
    uint64_t index = pull->done >> pull->offer.chunk_log2;
    uint8_t hash[FILE_HASH_SIZE];
    const struct span chunk = SPAN(pull->buffer, pull->filled);
    int r = sha256(&chunk, 1, hash);
    if (pull->phase == PULL_MANIFEST)
        index += file_chunks(pull->offer.data_size, pull->offer.chunk_log2);
    if (r < 0)
        return r;
    if (memcmp(hash, pull->hashes + index * FILE_HASH_SIZE, sizeof hash) != 0)
        return FILES_DAMAGED;
    pull->done += pull->filled;
    pull->giving = true;
    return 0;
}

static int take_whole(struct file_pull *pull)
{
    switch (pull->phase) {
    case PULL_ANSWER:
        return take_answer(pull);
    case PULL_HASHES:
        return take_hashes(pull);
    default:
        return take_chunk(pull);
    }
}

/* --- moving ----------------------------------------------------------------------------------- */

/* 0, -EAGAIN or why it is over. */
static int read_some(struct file_pull *pull)
{
    uint8_t *place = pull->phase == PULL_HASHES ? pull->hashes : pull->buffer;
    const size_t left = pull->wanted - pull->filled;
    struct iovec piece = {place + pull->filled, left < READ_SIZE ? left : READ_SIZE};
    const ssize_t size = pipe_receive(pull->from, &piece, 1);
    if (size == 0)
        return FILES_LOST;
    if (size < 0)
        return size == -EAGAIN ? -EAGAIN : FILES_LOST;
    pull->filled += (size_t)size;
    return pull->filled == pull->wanted ? take_whole(pull) : 0;
}

/* Gives a chunk that was compared to the client. 0 when it has it, -EAGAIN or FILES_SHORT. */
static int give(struct file_pull *pull)
{
    while (pull->given < pull->filled) {
        struct iovec piece = {pull->buffer + pull->given, pull->filled - pull->given};
        const ssize_t size = pipe_send(pull->to, &piece, 1);
        if (size < 0)
            return size == -EAGAIN ? -EAGAIN : FILES_SHORT;
        pull->given += (size_t)size;
    }
    if (pull->phase == PULL_DATA)
        pull->moved = pull->done;
    return 0;
}

static void on_readable(void *context)
{
    struct file_pull *pull = context;
    int r = 0;
    for (unsigned i = 0; r == 0 && i < READS_MAX && !pull->giving; i++)
        r = read_some(pull);
    if (r != 0 && r != -EAGAIN)
        end(pull, r);
    else if (pull->giving)
        pipe_watch(pull->to, false, true);
    else
        pipe_watch(pull->from, true, false);
}

static void on_client_writable(void *context)
{
    struct file_pull *pull = context;
    int r = give(pull);
    if (r == -EAGAIN)
        pipe_watch(pull->to, false, true);
    else if (r != 0)
        end(pull, r);
    else if (expect_chunk(pull))
        pipe_watch(pull->from, true, false);
    else
        end(pull, 0);
}

static void ignore(void *context)
{
    (void)context;
}

static const struct pipe_events from_events = {on_readable, ignore};
static const struct pipe_events to_events = {ignore, on_client_writable};

static void on_timer(void *context)
{
    end(context, FILES_TIMEOUT);
}

int file_pull_new(struct file_pull **pull, struct loop *loop, const struct file_offer *offer,
                  uint64_t offset, int fd, file_pull_over *over, void *context, int *other)
{
    struct file_pull *made = calloc(1, sizeof *made);
    if (made == NULL) {
        close(fd);
        return -ENOMEM;
    }
    *made = (struct file_pull){.loop = loop,
                               .over = over,
                               .context = context,
                               .offer = *offer,
                               .offset = offset,
                               .moved = offset};
    list_init(&made->node);
    made->hashes = malloc(file_hashes_size(offer));
    made->buffer = malloc((size_t)1 << offer->chunk_log2);
    int r = pipe_new(&made->to, loop, fd, &to_events, made);
    if (r == 0 && (made->hashes == NULL || made->buffer == NULL))
        r = -ENOMEM;
    if (r == 0)
        r = timer_new(&made->timer, loop, on_timer, made);
    if (r == 0)
        r = pipe_pair(&made->from, loop, &from_events, made, other);
    if (r < 0) {
        file_pull_free(made);
        return r;
    }
    *pull = made;
    return 0;
}

void file_pull_start(struct file_pull *pull, const struct uuid *id)
{
    const struct file_request request = {*id, pull->offset};
    uint8_t bytes[FILE_REQUEST_SIZE];
    struct iovec piece = {bytes, sizeof bytes};
    file_request_put(bytes, &request);
    pipe_send(pull->from, &piece, 1); /* a new connection takes so little at once */
    expect(pull, 1);
    timer_arm_at(pull->timer, loop_now(pull->loop) + FILE_PULL_ANSWER_MS);
    pipe_watch(pull->from, true, false);
}

void file_pull_free(struct file_pull *pull)
{
    if (pull == NULL)
        return;
    list_remove(&pull->node);
    timer_free(pull->timer);
    pipe_free(pull->from);
    pipe_free(pull->to);
    free(pull->hashes);
    free(pull->buffer);
    free(pull);
}
