/*
 * Events of the daemon from a position on. The position is kept here; the daemon forgets it with
 * the connection.
 */
#include "client/stream.h"

#include <errno.h>

#include "base/cleanup.h"
#include "client/connection.h"

/* Calls a method. 0 with its result, CONNECTION_LOST, or -1 after telling. */
static int call(struct ctl *ctl, const char *method, json_t *params, json_t **result)
{
    CLEANUP(json_release) json_t *reply = NULL;

    const int outcome = ctl_exchange(ctl, method, params, &reply);
    if (outcome < 0)
        ctl_fail_connection(ctl, outcome);
    if (outcome != 0)
        return outcome < 0 ? -1 : CONNECTION_LOST;
    const json_t *error = json_object_get(reply, "error");
    if (error != NULL && ctl_stopping(error))
        return CONNECTION_LOST;
    if (error != NULL) {
        ctl_fail_reply(ctl, error);
        return -1;
    }
    *result = json_incref(json_object_get(reply, "result"));
    return 0;
}

/*
 * A cursor means nothing in another store: everything there is new. Better to see something twice
 * than to miss it.
 */
static void note_epoch(struct stream *stream, const json_t *hello)
{
    json_t *epoch = json_object_get(hello, "epoch");

    if (stream->epoch != NULL && !json_equal(stream->epoch, epoch)) {
        ctl_note(stream->ctl, "the daemon's store was replaced, beginning anew");
        stream->cursor = 0;
    }
    json_decref(stream->epoch);
    stream->epoch = json_incref(epoch);
}

/* 0, CONNECTION_LOST, or -1 after telling. */
static int subscribe(struct stream *stream, bool again)
{
    CLEANUP(json_release) json_t *hello = NULL, *followed = NULL;

    int result = call(stream->ctl, "hello", json_object(), &hello);
    if (result != 0)
        return result;
    note_epoch(stream, hello);
    if (again && json_object_set_new(stream->params, "after", json_integer(stream->cursor)) != 0)
        return ctl_fail_connection(stream->ctl, -ENOMEM), -1;
    result = call(stream->ctl, "follow", json_incref(stream->params), &followed);
    if (result == 0 && !again)
        stream->cursor = member_integer(followed, "from");
    return result;
}

/* From here on the cursor says where to begin. */
static void forget_beginning(json_t *params)
{
    json_object_del(params, "lines");
    json_object_del(params, "since");
}

int stream_init(struct stream *stream, struct ctl *ctl, json_t *params)
{
    *stream = (struct stream){.ctl = ctl, .params = params};
    if (params == NULL)
        return ctl_fail_connection(ctl, -ENOMEM), -1;
    if (ctl_connect(ctl) != 0)
        return -1;
    const int result = subscribe(stream, false);
    if (result == CONNECTION_LOST)
        ctl_fail_connection(ctl, result);
    forget_beginning(params);
    return result == 0 ? 0 : -1;
}

void stream_deinit(struct stream *stream)
{
    json_decref(stream->params);
    json_decref(stream->epoch);
    stream->params = stream->epoch = NULL;
}

static int resume(struct stream *stream, uint64_t deadline_ms)
{
    int result;

    ctl_note(stream->ctl, "lost the connection to the daemon, waiting for it");
    do {
        result = ctl_reconnect(stream->ctl, deadline_ms);
        if (result == CONNECTION_TIMEOUT)
            return STREAM_TIMEOUT;
        if (result < 0)
            return ctl_fail_connection(stream->ctl, result), -1;
        result = subscribe(stream, true);
    } while (result == CONNECTION_LOST);
    return result == 0 ? STREAM_RESUMED : -1;
}

/* The next message of any kind. 0, a connection_outcome or -errno. */
static int receive(const struct stream *stream, uint64_t deadline_ms, json_t **message)
{
    struct ctl *ctl = stream->ctl;
    /* No events are asked for: only that the reader of a pipe is gone. */
    struct pollfd out = {.fd = fileno(ctl->out)};

    if (json_array_size(ctl->events) > 0) {
        *message = json_incref(json_array_get(ctl->events, 0));
        json_array_remove(ctl->events, 0);
        return 0;
    }
    return connection_receive(ctl->connection, stream->for_output ? &out : NULL, deadline_ms,
                              message);
}

int stream_next(struct stream *stream, uint64_t deadline_ms, json_t **event)
{
    for (;;) {
        CLEANUP(json_release) json_t *message = NULL;
        const int result = receive(stream, deadline_ms, &message);
        if (result == CONNECTION_TIMEOUT)
            return STREAM_TIMEOUT;
        if (result == CONNECTION_OTHER)
            return STREAM_UNWANTED;
        if (result == CONNECTION_LOST)
            return resume(stream, deadline_ms);
        if (result < 0)
            return ctl_fail_connection(stream->ctl, result), -1;

        json_t *params = json_object_get(message, "params");
        if (params == NULL)
            continue;
        if (member_integer(params, "seq") > stream->cursor)
            stream->cursor = member_integer(params, "seq");
        *event = json_incref(params);
        return 0;
    }
}
