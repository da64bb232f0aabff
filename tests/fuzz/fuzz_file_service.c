/* SPDX-License-Identifier: ISC */
/*
 * A peer that says anything at all about files: offers and their ends, requests to a daemon that
 * has a transfer for it, and what a daemon gets that pulls one from it. Whatever it says, what a
 * client is given is the beginning of what was offered, all of it when the pull ends well, and what
 * the peer is given is what it asked for.
 *
 *     input: what of these (1) and the rest as the functions below read it
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/files.h"
#include "crypto/crypto.h"
#include "crypto/digest.h"
#include "fuzz/fuzz.h"
#include "net/pipe.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return crypto_init();
}

enum {
    CHUNK = 1 << FILE_CHUNK_LOG2_MIN,
    CONTENT_MAX = 2 * CHUNK + 100,
    TURNS_MAX = 1000,
};

/* --- pipes without a kernel ------------------------------------------------------------------- */

struct pipe {
    const struct pipe_events *events;
    void *context;
    bool readable, writable; /* what is watched */
    struct bytes in;         /* what it will read … */
    bool ended;              /* … and whether that is all */
    struct bytes out;        /* what was written */
};

static struct pipe *to_peer, *to_client;
static unsigned room; /* bytes that a write takes at most */

static int make_pipe(struct pipe **pipe, const struct pipe_events *events, void *context)
{
    *pipe = calloc(1, sizeof **pipe);
    assert(*pipe != NULL);
    (*pipe)->events = events;
    (*pipe)->context = context;
    return 0;
}

int pipe_new(struct pipe **pipe, struct loop *loop, int fd, const struct pipe_events *events,
             void *context)
{
    (void)loop;
    (void)fd;
    make_pipe(pipe, events, context);
    to_client = *pipe;
    return 0;
}

int pipe_pair(struct pipe **pipe, struct loop *loop, const struct pipe_events *events,
              void *context, int *other)
{
    (void)loop;
    *other = -1;
    make_pipe(pipe, events, context);
    to_peer = *pipe;
    return 0;
}

void pipe_free(struct pipe *pipe)
{
    if (pipe == NULL)
        return;
    bytes_deinit(&pipe->in);
    bytes_deinit(&pipe->out);
    free(pipe);
}

void pipe_watch(struct pipe *pipe, bool readable, bool writable)
{
    pipe->readable = readable;
    pipe->writable = writable;
}

ssize_t pipe_receive(struct pipe *pipe, struct iovec *pieces, int count)
{
    assert(count == 1 && pieces->iov_len > 0);
    const size_t size = pieces->iov_len < pipe->in.size ? pieces->iov_len : pipe->in.size;
    if (size == 0)
        return pipe->ended ? 0 : -EAGAIN;
    memcpy(pieces->iov_base, pipe->in.data, size);
    bytes_consume(&pipe->in, size);
    return (ssize_t)size;
}

ssize_t pipe_send(struct pipe *pipe, struct iovec *pieces, int count)
{
    assert(count == 1);
    const size_t size = pieces->iov_len < room ? pieces->iov_len : room;
    if (size == 0)
        return -EAGAIN;
    assert(bytes_append(&pipe->out, pieces->iov_base, size) == 0);
    return (ssize_t)size;
}

/* --- time, which stands still ----------------------------------------------------------------- */

uint64_t loop_now(const struct loop *loop)
{
    (void)loop;
    return 1000;
}

int timer_new(struct timer **timer, struct loop *loop, void (*callback)(void *context),
              void *context)
{
    (void)loop;
    (void)callback;
    (void)context;
    *timer = NULL;
    return 0;
}

void timer_free(struct timer *timer)
{
    (void)timer;
}

void timer_arm_at(struct timer *timer, uint64_t at_ms)
{
    (void)timer;
    (void)at_ms;
}

void timer_disarm(struct timer *timer)
{
    (void)timer;
}

/* --- what is offered -------------------------------------------------------------------------- */

static uint8_t content[CONTENT_MAX]; /* manifest, then data */
static struct bytes hashes;
static struct file_offer offer;

static void hash_part(const uint8_t *data, uint64_t size)
{
    for (uint64_t done = 0; done < size; done += CHUNK) {
        uint8_t hash[FILE_HASH_SIZE];
        const struct span chunk =
            SPAN(data + done, (size_t)(size - done < CHUNK ? size - done : CHUNK));
        assert(sha256(&chunk, 1, hash) == 0);
        assert(bytes_append(&hashes, hash, sizeof hash) == 0);
    }
}

/* An offer: its sizes (3 and 2). */
static void make_offer(struct reader *reader)
{
    offer = (struct file_offer){.chunk_log2 = FILE_CHUNK_LOG2_MIN, .entries = 1};
    offer.data_size = ((uint64_t)reader_u8(reader) << 16 | reader_u16(reader)) % (2 * CHUNK + 1);
    offer.manifest_size = 1 + reader_u16(reader) % 99;
    for (size_t i = 0; content[CONTENT_MAX - 1] == 0 && i < CONTENT_MAX; i++)
        content[i] = (uint8_t)(1 + i * 7 % 251 + i / 65536);
    bytes_clear(&hashes);
    hash_part(content + offer.manifest_size, offer.data_size);
    hash_part(content, offer.manifest_size);
    assert(file_root(&offer, bytes_span(&hashes), offer.root) == 0);
}

/* Legal offsets of data, of this number. */
static uint64_t pick_offset(unsigned number)
{
    const uint64_t chunks = file_chunks(offer.data_size, offer.chunk_log2);
    const uint64_t offset = number % (chunks + 1) * CHUNK;
    return offset < offer.data_size ? offset : offer.data_size;
}

/* All that comes behind the answer to a request. */
static void append_all(struct bytes *all, uint64_t offset)
{
    const uint8_t *data = content + offer.manifest_size;
    assert(bytes_append(all, hashes.data, hashes.size) == 0);
    assert(bytes_append(all, content, (size_t)offer.manifest_size) == 0);
    assert(bytes_append(all, data + offset, (size_t)(offer.data_size - offset)) == 0);
}

/* --- serving ---------------------------------------------------------------------------------- */

static struct file_request asked;
static bool over;
static int outcome;

/* The spool, without files. */
struct spool_reader {
    unsigned unused;
};

void spool_reader_free(struct spool_reader *reader)
{
    free(reader);
}

int spool_reader_get(struct spool_reader *reader, enum spool_part part, uint64_t unit, uint8_t *out,
                     size_t *size)
{
    const uint8_t *start = part == SPOOL_HASHES     ? hashes.data
                           : part == SPOOL_MANIFEST ? content
                                                    : content + offer.manifest_size;
    const uint64_t whole = part == SPOOL_HASHES     ? hashes.size
                           : part == SPOOL_MANIFEST ? offer.manifest_size
                                                    : offer.data_size;
    (void)reader;
    *size = 0;
    if (unit * SPOOL_UNIT >= whole)
        return 0;
    const uint64_t left = whole - unit * SPOOL_UNIT;
    *size = left < SPOOL_UNIT ? (size_t)left : SPOOL_UNIT;
    memcpy(out, start + unit * SPOOL_UNIT, *size);
    return 0;
}

static uint8_t on_asked(void *context, struct file_serve *serve, const struct file_request *request)
{
    (void)context;
    asked = *request;
    if (request->offset > offer.data_size ||
        (request->offset % CHUNK != 0 && request->offset != offer.data_size))
        return FILE_UNKNOWN;
    serve->offer = offer;
    serve->seq = 1;
    serve->reader = calloc(1, sizeof *serve->reader);
    assert(serve->reader != NULL);
    return FILE_COMING;
}

/* What was sent, before it goes with its pipe. */
static void on_served(void *context, struct file_serve *serve)
{
    struct bytes *said = context;
    assert(bytes_append(said, to_peer->out.data, to_peer->out.size) == 0);
    over = true;
    file_serve_free(serve);
}

static const struct file_serve_events serve_events = {on_asked, on_served};

static void check_served(struct span said, bool all)
{
    struct bytes right = {0};
    if (said.size == 0)
        return;
    if (said.data[0] == FILE_COMING)
        append_all(&right, asked.offset);
    else
        assert(said.data[0] == FILE_UNKNOWN);
    assert(said.size - 1 <= right.size);
    assert(right.size == 0 || memcmp(said.data + 1, right.data, said.size - 1) == 0);
    assert(!all || said.size - 1 == right.size);
    bytes_deinit(&right);
}

/* A request, in pieces: how much the peer reads at once (2), then what it says. */
static void serve(struct reader *reader)
{
    struct bytes said = {0};
    struct file_serve *serving;
    int other;
    make_offer(reader);
    room = 1 + reader_u16(reader);
    over = false;
    assert(file_serve_new(&serving, NULL, 1, &serve_events, &said, &other) == 0);
    for (unsigned i = 0; !over && i < TURNS_MAX; i++) {
        const size_t size = reader->left < 1 + i ? reader->left : 1 + i;
        assert(bytes_append(&to_peer->in, reader_take(reader, size), size) == 0);
        to_peer->ended = reader->left == 0 && !serving->answered;
        if (to_peer->writable)
            to_peer->events->writable(serving);
        else if (to_peer->readable)
            to_peer->events->readable(serving);
    }
    const bool all = over;
    if (!over)
        on_served(&said, serving);
    check_served(bytes_span(&said), all);
    bytes_deinit(&said);
}

/* --- pulling ---------------------------------------------------------------------------------- */

static void on_pulled(void *context, struct file_pull *pull, int r)
{
    struct bytes *given = context;
    assert(r != 0 || to_client->out.size == offer.manifest_size + offer.data_size - pull->offset);
    assert(bytes_append(given, to_client->out.data, to_client->out.size) == 0);
    over = true;
    outcome = r;
    file_pull_free(pull);
}

static void check_given(struct span given, uint64_t offset)
{
    const size_t manifest = (size_t)offer.manifest_size;
    const size_t first = given.size < manifest ? given.size : manifest;
    assert(first == 0 || memcmp(given.data, content, first) == 0);
    if (given.size > manifest)
        assert(memcmp(given.data + manifest, content + manifest + offset, given.size - manifest) ==
               0);
}

/* What the peer says next: much that is right (op even), or a few bytes of its own. */
static void speak(struct reader *reader, struct bytes *right)
{
    const unsigned op = reader_u8(reader);
    size_t size = op % 2 == 0 ? (size_t)op << 13 : 1 + op / 16;
    if (op % 2 == 0) {
        size = size < right->size ? size : right->size;
        assert(bytes_append(&to_peer->in, right->data, size) == 0);
    } else {
        size = size < reader->left ? size : reader->left;
        assert(bytes_append(&to_peer->in, reader_take(reader, size), size) == 0);
    }
    bytes_consume(right, size < right->size ? size : right->size);
}

/* From which offset on (1), how much the client takes at once (2), then what the peer says. */
static void pull(struct reader *reader)
{
    struct bytes given = {0}, right = {0};
    struct file_pull *pulling;
    int other;
    make_offer(reader);
    const uint64_t offset = pick_offset(reader_u8(reader));
    room = 100u + reader_u16(reader);
    over = false;
    outcome = -1;
    assert(bytes_append_u8(&right, FILE_COMING) == 0);
    append_all(&right, offset);
    assert(file_pull_new(&pulling, NULL, &offer, offset, 3, on_pulled, &given, &other) == 0);
    file_pull_start(pulling, &(struct uuid){{1}});
    assert(to_peer->out.size == FILE_REQUEST_SIZE);
    while (!over) {
        if (to_client->writable) {
            to_client->writable = false;
            to_client->events->writable(pulling);
        } else if (to_peer->in.size > 0 || to_peer->ended) {
            to_peer->events->readable(pulling);
        } else {
            speak(reader, &right);
            to_peer->ended = reader->left == 0;
        }
    }
    check_given(bytes_span(&given), offset);
    bytes_deinit(&given);
    bytes_deinit(&right);
}

/* --- items ------------------------------------------------------------------------------------ */

/* An offer or an end that is legal is the same when it is said again. */
static void parse(struct reader *reader)
{
    const size_t size = reader->left;
    const struct span item = SPAN(reader_take(reader, size), size);
    struct bytes again = {0};
    struct file_offer parsed, second;
    struct file_end end;
    if (file_offer_parse(item, &parsed) == 0) {
        assert(file_name_valid(parsed.name) && parsed.data_size <= FILE_DATA_MAX);
        assert(file_hashes_size(&parsed) <= (size_t)FILE_CHUNKS_MAX * FILE_HASH_SIZE);
        assert(file_offer_append(&again, &parsed) == 0);
        assert(again.size <= item.size && memcmp(again.data, item.data, again.size - 2) == 0);
        assert(file_offer_parse(bytes_span(&again), &second) == 0);
    }
    bytes_clear(&again);
    if (file_end_parse(item, &end) == 0) {
        assert(file_end_append(&again, &end) == 0);
        assert(again.size == item.size && memcmp(again.data, item.data, again.size) == 0);
    }
    bytes_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parts[])(struct reader * reader) = {parse, serve, pull};
    struct reader reader = reader_of(SPAN(data, size));
    parts[reader_u8(&reader) % 3](&reader);
    bytes_deinit(&hashes);
    return 0;
}
