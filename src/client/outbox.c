/* SPDX-License-Identifier: ISC */
/*
 * Messages on their way into the daemon. Where they come from is cmd_send's business.
 */
#include "client/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/shell.h"
#include "client/connection.h"
#include "client/output.h"
#include "client/view.h"
#include "rpc/rpc_bytes.h"

enum { GRACE_MS = 2000 }; /* for the daemon to tell of a timeout itself */

/* A request without an answer: message.send, or message.wait for one message. */
struct outbox_request {
    json_int_t id;
    json_t *params;  /* of message.send; NULL: message.wait */
    json_t *message; /* that is waited for, as message.send answered it */
};

void outbox_init(struct outbox *outbox, struct ctl *ctl, const struct outbox_options *options)
{
    *outbox = (struct outbox){.ctl = ctl, .options = options};
    client_id_init(&outbox->ids);
}

/* The oldest is 0. */
static struct outbox_request *request_at(const struct outbox *outbox, size_t index)
{
    return &outbox->requests[outbox->first + index];
}

static void request_deinit(struct outbox_request *request)
{
    json_decref(request->params);
    json_decref(request->message);
}

void outbox_deinit(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->count; i++)
        request_deinit(request_at(outbox, i));
    free(outbox->requests);
    outbox->requests = NULL;
    outbox->first = outbox->count = outbox->capacity = 0;
}

bool outbox_ready(const struct outbox *outbox)
{
    return !outbox->stop && outbox->count < OUTBOX_WINDOW;
}

/* What was told last is the outcome if nothing failed before. */
static void note_failure(struct outbox *outbox, bool stop)
{
    if (outbox->status == EX_OK)
        outbox->status = outbox->ctl->status;
    outbox->stop = outbox->stop || stop;
}

/* Makes room for one more behind the others. */
static bool make_room(struct outbox *outbox)
{
    if (outbox->first + outbox->count < outbox->capacity)
        return true;
    if (outbox->first > outbox->count) {
        memcpy(outbox->requests, request_at(outbox, 0), outbox->count * sizeof *outbox->requests);
        outbox->first = 0;
        return true;
    }
    const size_t capacity = outbox->capacity > 0 ? 2 * outbox->capacity : 16;
    struct outbox_request *requests = reallocarray(outbox->requests, capacity, sizeof *requests);
    if (requests == NULL)
        return false;
    outbox->requests = requests;
    outbox->capacity = capacity;
    return true;
}

/* Takes references of its own. */
static bool add_request(struct outbox *outbox, const struct outbox_request *request)
{
    if (!make_room(outbox))
        return false;
    json_incref(request->params);
    json_incref(request->message);
    *request_at(outbox, outbox->count++) = *request;
    return true;
}

/* For people the id comes as soon as it is known, for programs the last state that was seen. */
static void print_message(struct outbox *outbox, const json_t *message, bool final)
{
    struct ctl *ctl = outbox->ctl;
    if (ctl->json && final)
        output_json(ctl, message, '\n');
    else if (!ctl->json && (!final || outbox->options->wait == NULL))
        output_line(ctl, "%s", member_string(message, "id", "?"));
    if (!ctl->json)
        view_advise(ctl, message);
}

/* How many messages the daemon may or may not have accepted. */
static size_t count_unanswered(const struct outbox *outbox)
{
    size_t unanswered = 0;
    for (size_t i = 0; i < outbox->count; i++)
        unanswered += request_at(outbox, i)->params != NULL;
    return unanswered;
}

/* All requests are waits, and there are some. */
static bool waits(const struct outbox *outbox)
{
    return outbox->count > 0 && count_unanswered(outbox) == 0;
}

static void tell_loss(const struct outbox *outbox)
{
    static const char gone[] =
        "the daemon went away before it answered, and is not back (see: p2pchatctl doctor)";
    const json_t *params = outbox->count > 0 ? request_at(outbox, 0)->params : NULL;
    if (outbox->count == 1 && params != NULL)
        ctl_fail_as(outbox->ctl, EX_UNAVAILABLE, "unreachable",
                    "%s; to repeat the message, and yet send it once: --client-id %s", gone,
                    shell_word(member_string(params, "client_id", "?")).text);
    else
        ctl_fail_as(outbox->ctl, EX_UNAVAILABLE, "unreachable",
                    "%s; %zu messages may have been accepted or not", gone,
                    count_unanswered(outbox));
}

/* Nobody answers any more. What was accepted stays so, and is shown as it was seen last. */
static void give_up(struct outbox *outbox, int outcome)
{
    if (outcome == CONNECTION_TIMEOUT && waits(outbox))
        ctl_fail(outbox->ctl, RPC_KIND_timeout,
                 "not %s in time; it stays queued; why it waits: p2pchatctl doctor",
                 outbox->options->wait);
    else if (outcome == CONNECTION_TIMEOUT)
        tell_loss(outbox);
    else
        ctl_fail_connection(outbox->ctl, outcome);
    note_failure(outbox, true);
    for (size_t i = 0; i < outbox->count; i++) {
        if (request_at(outbox, i)->message != NULL)
            print_message(outbox, request_at(outbox, i)->message, true);
    }
    outbox_deinit(outbox);
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* Asks for the state of a message. 0, CONNECTION_LOST or -errno. */
static int send_wait(const struct outbox *outbox, const json_t *message, json_int_t *id)
{
    const uint64_t deadline = outbox->options->deadline_ms;
    json_t *timeout = NULL;
    if (deadline != CONNECTION_NEVER) {
        const uint64_t now = clock_monotonic_ms();
        timeout = json_integer(deadline > now ? (json_int_t)(deadline - now) : 0);
    }
    return ctl_queue(outbox->ctl, "message.wait",
                     json_pack("{s:s,s:s,s:o*}", "id", member_string(message, "id", ""), "state",
                               outbox->options->wait, "timeout_ms", timeout),
                     id);
}

/* Sends every request again that has no answer, on a new connection. */
static int ask_again(const struct outbox *outbox)
{
    int r = 0;
    for (size_t i = 0; i < outbox->count && r == 0; i++) {
        struct outbox_request *request = request_at(outbox, i);
        r = request->params != NULL
                ? ctl_queue(outbox->ctl, "message.send", json_incref(request->params), &request->id)
                : send_wait(outbox, request->message, &request->id);
    }
    return r;
}

/* The daemon has gone, or has gone again without an answer in between. */
static void begin_patience(struct outbox *outbox)
{
    const uint64_t deadline = outbox->options->deadline_ms;
    if (outbox->patience_ms != 0)
        return;
    ctl_note(outbox->ctl, "lost the connection to the daemon, waiting for it");
    outbox->patience_ms = waits(outbox) || deadline != CONNECTION_NEVER
                              ? deadline
                              : clock_monotonic_ms() + OUTBOX_PATIENCE_MS;
}

/*
 * What the daemon answered is on its disk, so a restart ends no wait; and what has a client_id is
 * taken only once.
 */
static void recover(struct outbox *outbox, int outcome)
{
    if (outcome == CONNECTION_LOST)
        begin_patience(outbox);
    while (outcome == CONNECTION_LOST) {
        outcome = ctl_reconnect(outbox->ctl, outbox->patience_ms);
        if (outcome == 0)
            outcome = ask_again(outbox);
    }
    if (outcome != 0)
        give_up(outbox, outcome);
}

/* --- sending ---------------------------------------------------------------------------------- */

void outbox_send(struct outbox *outbox, struct span body)
{
    const struct outbox_options *options = outbox->options;
    const char *client_id = options->client_id;
    char own_id[CLIENT_ID_TEXT_MAX];
    struct outbox_request request = {0};
    if (client_id == NULL) {
        client_id_next(&outbox->ids, own_id);
        client_id = own_id;
    }
    json_t *value =
        options->binary ? rpc_bytes_make(body) : json_stringn((const char *)body.data, body.size);
    json_t *expires = options->expires_s > 0 ? json_integer(options->expires_s) : NULL;
    CLEANUP(json_release)
    json_t *params = json_pack("{s:O*,s:o,s:O*,s:s*,s:o*}", "peers", options->peers,
                               options->binary ? "body_base64" : "body", value, "headers",
                               options->headers, "client_id", client_id, "expires_s", expires);
    if (ctl_connect(outbox->ctl) != 0) {
        note_failure(outbox, true);
        return;
    }
    const int r = ctl_queue(outbox->ctl, "message.send", json_incref(params), &request.id);
    request.params = params;
    if (r < 0 || !add_request(outbox, &request))
        give_up(outbox, r < 0 ? r : -ENOMEM);
    else if (r != 0)
        recover(outbox, r);
}

static void accepted(struct outbox *outbox, const json_t *messages)
{
    size_t i;
    json_t *message;
    json_array_foreach(messages, i, message)
    {
        struct outbox_request request = {.message = message};
        const bool final = outbox->options->wait == NULL;
        print_message(outbox, message, final);
        if (final)
            continue;
        int r = send_wait(outbox, message, &request.id);
        if ((r == 0 || r == CONNECTION_LOST) && !add_request(outbox, &request))
            r = -ENOMEM;
        if (r != 0 && r != CONNECTION_LOST) {
            give_up(outbox, r);
            return;
        }
    }
}

/* One wait is over. */
static void settled(struct outbox *outbox, json_t *message, const json_t *result)
{
    if (result != NULL)
        json_object_set(message, "state", json_object_get(result, "state"));
    print_message(outbox, message, true);
}

/* --- receiving -------------------------------------------------------------------------------- */

/* Takes the request that a reply answers; false if there is none. */
static bool take_request(struct outbox *outbox, const json_t *reply, struct outbox_request *request)
{
    const json_t *id = json_object_get(reply, "id");
    for (size_t i = 0; i < outbox->count; i++) {
        struct outbox_request *place = request_at(outbox, i);
        if (!json_is_null(id) && json_integer_value(id) != place->id)
            continue;
        *request = *place;
        outbox->count--;
        if (i == 0)
            outbox->first++; /* the usual case: answers come in order */
        else
            memmove(place, place + 1, (outbox->count - i) * sizeof *place);
        return true;
    }
    return false;
}

static void handle_reply(struct outbox *outbox, const json_t *reply)
{
    const json_t *result = json_object_get(reply, "result");
    struct outbox_request request;
    outbox->patience_ms = 0;
    if (!take_request(outbox, reply, &request))
        return;
    CLEANUP(json_release) json_t *message = request.message;
    json_decref(request.params);
    if (message == NULL && result != NULL) {
        accepted(outbox, json_object_get(result, "messages"));
        return;
    }
    if (result == NULL)
        ctl_fail_reply(outbox->ctl, json_object_get(reply, "error"));
    if (message != NULL)
        settled(outbox, message, result);
    if (result == NULL)
        note_failure(outbox, message == NULL);
}

int outbox_receive(struct outbox *outbox, struct pollfd *other)
{
    CLEANUP(json_release) json_t *reply = NULL;
    const uint64_t deadline = outbox->options->deadline_ms;
    const bool limited = deadline != CONNECTION_NEVER && outbox->count > 0;
    if (outbox->ctl->connection == NULL || !connection_pending(outbox->ctl->connection))
        output_flush(outbox->ctl);
    const int r = connection_receive(outbox->ctl->connection, other,
                                     limited ? deadline + GRACE_MS : CONNECTION_NEVER, &reply);
    if (r == CONNECTION_OTHER)
        return OUTBOX_INPUT;
    if (r != 0)
        recover(outbox, r);
    else if (ctl_stopping(json_object_get(reply, "error")))
        recover(outbox, CONNECTION_LOST); /* what it leaves undone goes on with the next one */
    else
        handle_reply(outbox, reply);
    return 0;
}
