/* SPDX-License-Identifier: ISC */
/*
 * Serving pulls.
 */
#include "core/file_serve.h"

#include <errno.h>
#include <stdlib.h>

#include "net/pipe.h"

enum { UNITS_MAX = 4 }; /* in a turn, so that others have theirs */

static void note_moved(struct file_serve *serve)
{
    const uint64_t end = serve->unit * SPOOL_UNIT;
    if (serve->part == SPOOL_DATA)
        serve->moved = end < serve->offer.data_size ? end : serve->offer.data_size;
    serve->moved_ms = loop_now(serve->loop);
}

/* Reads the next unit of all that is to be sent; none is left when nothing is filled. */
static int fill(struct file_serve *serve)
{
    serve->filled = serve->given = 0;
    for (;;) {
        int r = spool_reader_get(serve->reader, serve->part, serve->unit, serve->buffer,
                                 &serve->filled);
        if (r != 0 || serve->filled > 0) {
            serve->unit++;
            return r;
        }
        if (serve->part == SPOOL_DATA)
            return 0;
        serve->part = serve->part == SPOOL_HASHES ? SPOOL_MANIFEST : SPOOL_DATA;
        serve->unit = serve->part == SPOOL_DATA ? serve->offset / SPOOL_UNIT : 0;
        if (serve->part == SPOOL_DATA && serve->offset == serve->offer.data_size)
            return 0;
    }
}

/* Sends what is in the buffer. 0, -EAGAIN or another -errno. */
static int give(struct file_serve *serve)
{
    while (serve->given < serve->filled) {
        struct iovec piece = {serve->buffer + serve->given, serve->filled - serve->given};
        const ssize_t size = pipe_send(serve->pipe, &piece, 1);
        if (size < 0)
            return (int)size;
        serve->given += (size_t)size;
    }
    note_moved(serve);
    return 0;
}

static void answer(struct file_serve *serve)
{
    struct file_request request = {.offset = 0};
    uint8_t code = FILE_UNKNOWN;
    if (file_request_parse(SPAN(serve->request, serve->asked), &request) == 0)
        code = serve->events->asked(serve->context, serve, &request);
    serve->answered = true;
    serve->offset = request.offset;
    serve->part = SPOOL_HASHES;
    serve->buffer[0] = code;
    serve->filled = 1;
    serve->given = 0;
}

/* Reads the request. False: there is more to come, or it is over. */
static bool take_request(struct file_serve *serve)
{
    struct iovec piece = {serve->request + serve->asked, FILE_REQUEST_SIZE - serve->asked};
    const ssize_t size = pipe_receive(serve->pipe, &piece, 1);
    if (size == 0 || (size < 0 && size != -EAGAIN)) {
        serve->events->over(serve->context, serve);
        return false;
    }
    serve->asked += size > 0 ? (size_t)size : 0;
    if (serve->asked < FILE_REQUEST_SIZE)
        pipe_watch(serve->pipe, true, false);
    return serve->asked == FILE_REQUEST_SIZE;
}

static void on_writable(void *context)
{
    struct file_serve *serve = context;
    int r = 0;
    for (unsigned i = 0; r == 0 && i < UNITS_MAX; i++) {
        r = give(serve);
        if (r != 0)
            break;
        if (serve->reader != NULL)
            r = fill(serve);
        if (r != 0 || serve->reader == NULL || serve->filled == 0) {
            serve->events->over(serve->context, serve);
            return;
        }
    }
    if (r != 0 && r != -EAGAIN)
        serve->events->over(serve->context, serve);
    else
        pipe_watch(serve->pipe, false, true);
}

static void on_readable(void *context)
{
    struct file_serve *serve = context;
    if (!take_request(serve))
        return;
    answer(serve);
    pipe_watch(serve->pipe, false, true);
}

static const struct pipe_events pipe_events = {on_readable, on_writable};

int file_serve_new(struct file_serve **serve, struct loop *loop, int64_t peer,
                   const struct file_serve_events *events, void *context, int *other)
{
    struct file_serve *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    made->loop = loop;
    made->peer = peer;
    made->events = events;
    made->context = context;
    made->moved_ms = loop_now(loop);
    list_init(&made->node);
    int r = pipe_pair(&made->pipe, loop, &pipe_events, made, other);
    if (r < 0) {
        free(made);
        return r;
    }
    pipe_watch(made->pipe, true, false);
    *serve = made;
    return 0;
}

void file_serve_free(struct file_serve *serve)
{
    if (serve == NULL)
        return;
    list_remove(&serve->node);
    pipe_free(serve->pipe);
    spool_reader_free(serve->reader);
    free(serve);
}
