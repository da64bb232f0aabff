/* SPDX-License-Identifier: ISC */
/*
 * Streams: one connected socket, two buffers, and when to tell the owner what.
 *
 * Input:   the socket is read only while there is an owner who has not paused and there is room, so
 * a level-triggered poll never reports what nobody may take. Output:  writes are collected and go
 * out in the next turn, or when they are pushed. The end: told once; a peer's end waits for a
 * paused owner, a broken connection does not, because an owner may have paused until its output
 * drains, which would then never happen.
 */
#include "net/stream.h"

#include <errno.h>
#include <event2/buffer.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "net/descriptors.h"
#include "net/libevent.h"
#include "net/socket.h"

enum {
    READ_SIZE = 16 * 1024,
    READS_MAX = 16, /* per callback, so that one stream cannot starve the others */
    WRITE_VECTORS = 32,
};

enum output_state {
    OUTPUT_OPEN,
    OUTPUT_FINISHING, /* the writing half is shut down once the buffer is empty */
    OUTPUT_CLOSED,    /* nothing can be sent any more */
};

struct stream {
    int fd;
    struct evbuffer *input;
    struct evbuffer *output;
    struct event *reader;
    struct event *writer;
    struct timer *nudge; /* tells what came up while the owner was on the stack */
    struct timer *look;  /* TCP: at the pulse, while something is under way */
    bool looking;
    struct loop *loop;
    struct pulse pulse;
    const struct stream_events *events;
    void *context;
    enum output_state output_state;
    bool bulk;
    bool paused;
    bool input_ended; /* nothing more comes from the kernel */
    bool end_told;
    bool writable_owed; /* output was dropped: there is room again, and no write to tell it */
    int error;          /* what broke the connection, or 0 */
    struct origin origin;
    uid_t user;
    bool takes_descriptors;
    struct descriptors descriptors;
};

static void stream_settle(struct stream *stream);

/* --- life ------------------------------------------------------------------------------------- */

static void on_read(evutil_socket_t fd, short what, void *argument);
static void on_write(evutil_socket_t fd, short what, void *argument);
static void on_look(void *context);

static void on_nudge(void *context)
{
    stream_settle(context);
}

static void stream_identify_unix(struct stream *stream)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    snprintf(stream->origin.text, sizeof stream->origin.text, "local");
    if (getsockopt(stream->fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0)
        stream->user = credentials.uid;
}

static int stream_identify_tcp(struct stream *stream)
{
    union socket_address peer = {0};
    socklen_t size = sizeof peer;
    if (getpeername(stream->fd, &peer.any, &size) < 0)
        return -errno;
    socket_origin(&peer, &stream->origin);
    return socket_tune_tcp(stream->fd);
}

static int stream_identify(struct stream *stream)
{
    const int family = socket_family(stream->fd);
    switch (family) {
    case AF_UNIX:
        stream_identify_unix(stream);
        return 0;
    case AF_INET:
    case AF_INET6:
        return stream_identify_tcp(stream);
    default:
        return family < 0 ? family : -EAFNOSUPPORT;
    }
}

DEFINE_CLEANUP(struct stream *, stream_cleanup, stream_free)

int stream_new(struct stream **result, struct loop *loop, int fd)
{
    CLEANUP(stream_cleanup) struct stream *stream = calloc(1, sizeof *stream);
    struct event_base *base = loop_base(loop);
    int r;
    if (stream == NULL)
        return -ENOMEM;
    stream->fd = fd;
    stream->user = (uid_t)-1;
    stream->loop = loop;
    r = stream_identify(stream);
    if (r == 0)
        r = timer_new(&stream->nudge, loop, on_nudge, stream);
    if (r == 0 && stream->user == (uid_t)-1)
        r = timer_new(&stream->look, loop, on_look, stream);
    stream->input = evbuffer_new();
    stream->output = evbuffer_new();
    stream->reader = event_new(base, fd, EV_READ | EV_PERSIST, on_read, stream);
    stream->writer = event_new(base, fd, EV_WRITE | EV_PERSIST, on_write, stream);
    if (r == 0 && (stream->input == NULL || stream->output == NULL || stream->reader == NULL ||
                   stream->writer == NULL))
        r = -ENOMEM;
    if (r < 0) {
        stream->fd = -1;
        return r;
    }
    *result = STEAL(stream);
    return 0;
}

void stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->reader != NULL)
        event_free(stream->reader);
    if (stream->writer != NULL)
        event_free(stream->writer);
    timer_free(stream->nudge);
    timer_free(stream->look);
    if (stream->input != NULL)
        evbuffer_free(stream->input);
    if (stream->output != NULL)
        evbuffer_free(stream->output);
    stream_drop_descriptors(stream, UINT64_MAX);
    if (stream->fd >= 0)
        close(stream->fd);
    free(stream);
}

/* --- state ------------------------------------------------------------------------------------ */

static void stream_nudge(struct stream *stream)
{
    timer_arm_at(stream->nudge, 0);
}

/* The connection is no good any more, in either direction. */
static void stream_break(struct stream *stream, int error)
{
    stream->error = error;
    stream->input_ended = true;
    stream->output_state = OUTPUT_CLOSED;
    stream->writable_owed = stream->end_told;
    evbuffer_drain(stream->output, evbuffer_get_length(stream->output));
    event_del(stream->reader);
    event_del(stream->writer);
}

static void watch(struct stream *stream, struct event *event, bool wanted)
{
    if (!wanted) {
        event_del(event);
    } else if (event_add(event, NULL) < 0) {
        stream_break(stream, ENOMEM);
        stream_nudge(stream);
    }
}

static bool stream_wants_input(const struct stream *stream)
{
    return stream->events != NULL && !stream->paused && !stream->input_ended &&
           evbuffer_get_length(stream->input) < STREAM_INPUT_MAX;
}

/* Polls for exactly what can be acted on. */
static void stream_watch(struct stream *stream)
{
    watch(stream, stream->reader, stream_wants_input(stream));
    watch(stream, stream->writer, evbuffer_get_length(stream->output) > 0);
}

/* Tells the owner what there is to tell. */
static void stream_settle(struct stream *stream)
{
    if (stream->events == NULL)
        return;
    if (!stream->paused && !stream->end_told && evbuffer_get_length(stream->input) > 0)
        stream->events->readable(stream->context);
    if (stream->input_ended && !stream->end_told && (!stream->paused || stream->error != 0)) {
        stream->end_told = true;
        stream->events->ended(stream->context, stream->error);
    }
    if (stream->writable_owed) {
        stream->writable_owed = false;
        stream->events->writable(stream->context);
    }
    stream_watch(stream);
}

/* --- input ------------------------------------------------------------------------------------ */

/* Bytes that the kernel gave, 0 at the end, or -errno. */
static ssize_t receive_some(struct stream *stream, uint8_t *chunk, size_t size)
{
    ssize_t got;
    if (stream->takes_descriptors)
        return descriptors_receive(&stream->descriptors, stream->fd, chunk, size);
    got = recv(stream->fd, chunk, size, 0);
    return got < 0 ? -errno : got;
}

/* The same without a copy in between, for much at once: as much as there is room for. */
static ssize_t receive_bulk(struct stream *stream, size_t room)
{
    struct evbuffer_iovec place;
    if (evbuffer_reserve_space(stream->input, (ev_ssize_t)room, &place, 1) != 1)
        return -ENOMEM;
    place.iov_len = place.iov_len < room ? place.iov_len : room;
    const ssize_t size = receive_some(stream, place.iov_base, place.iov_len);
    place.iov_len = size > 0 ? (size_t)size : 0;
    return evbuffer_commit_space(stream->input, &place, 1) == 0 ? size : -ENOMEM;
}

/*
 * Takes what the kernel has, at most READ_SIZE and what there is room for. Bytes, 0 at the end, or
 * -errno.
 */
static ssize_t stream_receive(struct stream *stream)
{
    const size_t room = STREAM_INPUT_MAX - evbuffer_get_length(stream->input);
    uint8_t chunk[READ_SIZE];
    if (stream->bulk && room > 0)
        return receive_bulk(stream, room);
    const ssize_t size = receive_some(stream, chunk, room < READ_SIZE ? room : READ_SIZE);
    if (size < 0)
        return size;
    if (evbuffer_add(stream->input, chunk, (size_t)size) < 0)
        return -ENOMEM;
    return size;
}

/* Receives once and tells of it. Whether there may be more. */
static bool stream_read(struct stream *stream)
{
    const ssize_t r = stream_receive(stream);
    if (r == -EAGAIN || r == -EINTR)
        return false;
    if (r == 0)
        stream->input_ended = true;
    else if (r < 0)
        stream_break(stream, (int)-r);
    stream_settle(stream);
    return r == READ_SIZE && stream_wants_input(stream);
}

/* What comes in one turn is committed at once, so a turn takes what it can. */
static void on_read(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    for (unsigned i = 0; i < READS_MAX && stream_read(argument); i++)
        continue;
}

void stream_attach(struct stream *stream, const struct stream_events *events, void *context)
{
    stream->events = events;
    stream->context = context;
    stream_nudge(stream);
    stream_watch(stream);
}

void stream_set_bulk(struct stream *stream, bool background)
{
    stream->bulk = true;
    socket_tune_bulk(stream->fd, background);
}

struct span stream_input(const struct stream *stream)
{
    struct evbuffer_iovec first = {0};
    evbuffer_peek(stream->input, -1, NULL, &first, 1);
    return SPAN(first.iov_base, first.iov_len);
}

void stream_consume(struct stream *stream, size_t size)
{
    evbuffer_drain(stream->input, size);
    stream_watch(stream);
}

void stream_pause(struct stream *stream, bool paused)
{
    if (stream->paused == paused)
        return;
    stream->paused = paused;
    if (!paused)
        stream_nudge(stream);
    stream_watch(stream);
}

void stream_accept_descriptors(struct stream *stream)
{
    stream->takes_descriptors = true;
}

int stream_take_descriptor(struct stream *stream, uint64_t *end)
{
    return descriptors_take(&stream->descriptors, end);
}

unsigned stream_drop_descriptors(struct stream *stream, uint64_t position)
{
    return descriptors_drop(&stream->descriptors, position);
}

/* --- output ----------------------------------------------------------------------------------- */

/* Gives the kernel what it takes of the output. 0, also when it takes nothing, or -errno. */
static int stream_send(struct stream *stream)
{
    struct evbuffer_iovec vectors[WRITE_VECTORS];
    const int used = evbuffer_peek(stream->output, -1, NULL, vectors, WRITE_VECTORS);
    const struct msghdr message = {
        .msg_iov = vectors,
        .msg_iovlen = (size_t)(used < WRITE_VECTORS ? used : WRITE_VECTORS),
    };
    const ssize_t size = sendmsg(stream->fd, &message, MSG_NOSIGNAL);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    evbuffer_drain(stream->output, (size_t)size);
    return 0;
}

/* What the peer sent before the connection broke is worth reading, if it is there already. */
static void stream_send_failed(struct stream *stream, int error)
{
    while (!stream->input_ended && stream_receive(stream) > 0)
        continue;
    stream_break(stream, error);
    stream_settle(stream);
}

/* Looks at the pulse as long as the other kernel owes us an answer. */
static void look_later(struct stream *stream)
{
    stream->looking = true;
    timer_arm_at(stream->look, loop_now(stream->loop) + PULSE_INTERVAL_MS);
}

static void on_look(void *context)
{
    struct stream *stream = context;
    const struct pulse_facts facts = socket_pulse(stream->fd);
    stream->looking = false;
    if (stream->error != 0)
        return;
    switch (pulse_judge(&stream->pulse, &facts, loop_now(stream->loop))) {
    case PULSE_RESTING:
        break;
    case PULSE_BEATING:
        look_later(stream);
        break;
    case PULSE_GONE:
        stream_send_failed(stream, ETIMEDOUT);
        break;
    }
}

static void stream_shut_down(struct stream *stream)
{
    stream->output_state = OUTPUT_CLOSED;
    shutdown(stream->fd, SHUT_WR);
}

static void on_write(evutil_socket_t fd, short what, void *argument)
{
    struct stream *stream = argument;
    const int r = stream_unsent(stream) > 0 ? stream_send(stream) : 0;
    (void)fd;
    (void)what;
    if (r < 0) {
        stream_send_failed(stream, -r);
        return;
    }
    if (stream->look != NULL && !stream->looking)
        look_later(stream);
    if (stream->output_state == OUTPUT_FINISHING && stream_unsent(stream) == 0)
        stream_shut_down(stream);
    stream_watch(stream);
    if (stream->events != NULL && stream_unsent(stream) <= STREAM_LOW_WATER)
        stream->events->writable(stream->context);
}

void stream_push(struct stream *stream)
{
    /* An error comes again when the loop finds the socket writable, and is told then. */
    if (stream->output_state == OUTPUT_OPEN && stream_unsent(stream) > 0)
        stream_send(stream);
}

/*
 * What the kernel takes at once needs no place here. How much that is; an error comes again when
 * the loop finds the socket writable, and is told then.
 */
static size_t send_at_once(struct stream *stream, struct span data)
{
    const ssize_t size = send(stream->fd, data.data, data.size, MSG_NOSIGNAL);
    if (size > 0 && stream->look != NULL && !stream->looking)
        look_later(stream);
    return size > 0 ? (size_t)size : 0;
}

int stream_write(struct stream *stream, struct span data)
{
    if (stream->output_state != OUTPUT_OPEN) {
        stream->writable_owed = true;
        stream_nudge(stream);
        return 0;
    }
    if (stream->bulk && stream_unsent(stream) == 0) {
        const size_t sent = send_at_once(stream, data);
        data = SPAN(data.data + sent, data.size - sent);
    }
    if (data.size == 0)
        return 0;
    if (evbuffer_add(stream->output, data.data, data.size) < 0)
        return -ENOMEM;
    stream_watch(stream);
    return 0;
}

size_t stream_unsent(const struct stream *stream)
{
    return evbuffer_get_length(stream->output);
}

struct pulse_facts stream_pulse(const struct stream *stream)
{
    return socket_pulse(stream->fd);
}

void stream_finish(struct stream *stream)
{
    if (stream->output_state != OUTPUT_OPEN)
        return;
    stream->output_state = OUTPUT_FINISHING;
    if (stream_unsent(stream) == 0)
        stream_shut_down(stream);
}

/* --- the other end ---------------------------------------------------------------------------- */

const struct origin *stream_origin(const struct stream *stream)
{
    return &stream->origin;
}

bool stream_local(const struct stream *stream, uint8_t address[static ORIGIN_KEY_SIZE])
{
    union socket_address own = {0};
    socklen_t size = sizeof own;
    return getsockname(stream->fd, &own.any, &size) == 0 && socket_host(&own, address);
}

uid_t stream_user(const struct stream *stream)
{
    return stream->user;
}

bool stream_gone(const struct stream *stream)
{
    struct pollfd state = {.fd = stream->fd};
    return poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR)) != 0;
}
