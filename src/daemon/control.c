/* SPDX-License-Identifier: ISC */
/*
 * The control interface: clients, their lines, and the end of the turn.
 */
#define LOG_COMPONENT "control"
#include "daemon/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/control_call.h"
#include "daemon/control_client.h"
#include "daemon/control_files.h"
#include "daemon/control_follow.h"
#include "daemon/control_listing.h"
#include "daemon/control_requests.h"
#include "daemon/control_snapshot.h"
#include "daemon/control_streams.h"
#include "daemon/control_wait.h"

/* --- hearing things --------------------------------------------------------------------------- */

static bool may_call(const struct control_client *client, const struct rpc_method *method)
{
    return method->access == RPC_USER || client->admin;
}

static enum control_answer run(struct control_call *call, const struct rpc_method *method)
{
    if (!may_call(call->client, method))
        return control_call_fail(call, RPC_KIND_not_admin,
                                 "%s is for root and the daemon's own user", method->name);
    if (call->control->stopping)
        return control_call_fail(call, RPC_KIND_stopping, "the daemon is stopping");
    return control_call_function(method)(call);
}

/* How many bytes of the client's lines have been served. */
static uint64_t served(const struct control_client *client)
{
    return client->fed - (client->lines.buffer.size - client->lines.taken);
}

/* The oldest descriptor that came along with this line, for a method that takes one; or -1. */
static int take_descriptor(struct control_client *client, const struct rpc_method *method)
{
    uint64_t end;
    return rpc_method_takes_descriptor(method) ? stream_take_descriptor(client->stream, &end) : -1;
}

/* Closes what came along with lines that had no use for it, and counts what is left. */
static void count_descriptors(struct control_client *client, uint64_t position)
{
    unsigned left = stream_drop_descriptors(client->stream, position);
    struct control *control = client->control;
    control->descriptors = control->descriptors - client->descriptors + left;
    client->descriptors = left;
    client->broken |= control->descriptors > CONTROL_DESCRIPTORS_MAX;
}

static void serve(struct control_client *client, const struct rpc_request *request)
{
    struct control_call call = {.control = client->control,
                                .node = client->control->node,
                                .client = client,
                                .id = request->id,
                                .notification = request->notification,
                                .descriptor = take_descriptor(client, request->method),
                                .params = request->params};
    enum control_answer answer = run(&call, request->method);
    if (call.descriptor >= 0)
        close(call.descriptor); /* the call failed before it was of use */
    if (request->notification) {
        json_decref(call.result);
        return;
    }
    if (answer == CALL_DONE)
        control_client_reply(client, request->id, rpc_reply(request->id, call.result));
    else if (answer == CALL_FAILED)
        control_client_reply(client, request->id,
                             rpc_error_of_kind(request->id, call.kind, call.text));
}

static void serve_line(struct control_client *client, struct span line)
{
    struct rpc_request request;
    struct rpc_complaint complaint;
    if (rpc_request_read(&request, line, &complaint))
        serve(client, &request);
    else if (!request.notification)
        control_client_reply(
            client, request.id,
            rpc_error(request.id, complaint.code, complaint.kind, false, complaint.text));
    rpc_request_deinit(&request);
}

/*
 * Whether the clients had their share of this turn. The commit between two of their shares does not
 * count, or on a slow disk each share would be a single call.
 */
static bool turn_is_over(const struct control *control)
{
    const uint64_t woken_ms = loop_now(control->loop);
    const uint64_t since_ms = woken_ms > control->settled_ms ? woken_ms : control->settled_ms;
    return clock_monotonic_ms() - since_ms >= CONTROL_TURN_MS;
}

/* Whether the client had its share of this turn. */
static bool had_its_turn(const struct control_client *client)
{
    const unsigned limit = client->control->callers > 1 ? CONTROL_CALLS_MAX : CONTROL_CALLS_ALONE;
    return client->call_count >= limit || (client->call_count > 0 && turn_is_over(client->control));
}

/* Whether the client has to take something before it may say more. */
static bool is_congested(const struct control_client *client)
{
    return had_its_turn(client) || client->listing != NULL ||
           client->wait_count >= CONTROL_WAITS_MAX ||
           stream_unsent(client->stream) >= CONTROL_OUTPUT_MAX;
}

static void count_call(struct control_client *client)
{
    if (client->call_count++ > 0)
        return;
    client->control->callers++;
    node_note_client(client->control->node);
}

static void reject_long_line(struct control_client *client)
{
    count_call(client);
    control_client_reply(
        client, NULL,
        rpc_error(NULL, RPC_INVALID_REQUEST, "too_large", false, "a line is longer than 1 MiB"));
    client->input_ended = true;
}

/* Serves what was received, as far as the client keeps up. */
static void serve_lines(struct control_client *client)
{
    while (!client->broken && !is_congested(client)) {
        struct span line;
        int r = rpc_line_next(&client->lines, &line);
        if (r == 0) {
            count_call(client);
            serve_line(client, line);
            count_descriptors(client, served(client));
            continue;
        }
        if (r == RPC_LINE_TOO_LONG && !client->input_ended)
            reject_long_line(client);
        else if (r < 0)
            client->broken = true;
        break;
    }
    stream_pause(client->stream, is_congested(client));
    if (had_its_turn(client))
        loop_wake(client->control->loop);
}

static void on_readable(void *context)
{
    struct control_client *client = context;
    for (struct span data; (data = stream_input(client->stream)).size > 0;) {
        if (!client->input_ended && rpc_line_feed(&client->lines, data) < 0)
            client->broken = true;
        client->fed += data.size;
        stream_consume(client->stream, data.size);
    }
    count_descriptors(client, 0);
    serve_lines(client);
    loop_wake(client->control->loop);
}

static void on_writable(void *context)
{
    struct control_client *client = context;
    loop_wake(client->control->loop); /* followers and held lines go on at the turn's end */
}

static void on_ended(void *context, int error)
{
    struct control_client *client = context;
    client->input_ended = true;
    client->broken |= error != 0;
    /* One that was killed while it waits for a stream: the peer is told at once. */
    client->broken |=
        client->wait_count > 0 && !is_congested(client) && stream_gone(client->stream);
    control_follow_forget(client);
    loop_wake(client->control->loop);
}

static const struct stream_events stream_events = {on_readable, on_writable, on_ended};

/* --- clients ---------------------------------------------------------------------------------- */

static void client_free(struct control_client *client)
{
    control_wait_forget(client);
    control_follow_forget(client);
    control_listing_forget(client);
    control_snapshot_forget(client);
    control_streams_forget(client);
    control_requests_forget(client);
    control_files_forget(client);
    control_client_forget(client);
    client->control->descriptors -= client->descriptors;
    list_remove(&client->node);
    client->control->client_count--;
    rpc_line_deinit(&client->lines);
    stream_free(client->stream);
    free(client);
}

static struct control_client *client_at(struct list *node)
{
    return container_of(node, struct control_client, node);
}

/*
 * A connection that only waits, perhaps for ever, gets no other sign that its client has died.
 * Looked for when another comes, so that there are never many of them.
 */
static void find_gone(struct control *control)
{
    list_for_each (node, &control->clients) {
        struct control_client *client = client_at(node);
        client->broken |=
            client->input_ended && client->wait_count > 0 && stream_gone(client->stream);
    }
    loop_wake(control->loop);
}

/*
 * Whether one more client of this user may come. Nobody takes all places, and the last ones are for
 * those who can do something about it.
 */
static bool has_place(const struct control *control, uid_t user, bool admin)
{
    unsigned others = 0;
    list_for_each (node, &control->clients)
        others += client_at(node)->user == user;
    if (admin)
        return control->client_count < CONTROL_CLIENTS_MAX;
    return control->client_count < CONTROL_CLIENTS_MAX - CONTROL_CLIENTS_KEPT &&
           others < CONTROL_CLIENTS_PER_USER;
}

static void on_accept(void *context, struct stream *stream)
{
    struct control *control = context;
    const uid_t user = stream_user(stream);
    const bool admin = user == 0 || user == geteuid();
    find_gone(control);
    struct control_client *client =
        has_place(control, user, admin) ? calloc(1, sizeof *client) : NULL;
    if (client == NULL) {
        log_warning("user %u has too many connections to the control socket", (unsigned)user);
        stream_free(stream);
        return;
    }
    client->control = control;
    client->stream = stream;
    client->user = user;
    client->admin = admin;
    list_init(&client->followers);
    list_append(&control->clients, &client->node);
    control->client_count++;
    stream_accept_descriptors(stream);
    stream_attach(stream, &stream_events, client);
}

/* Whether the client has said its last and got everything it waited for. */
static bool is_finished(const struct control_client *client)
{
    return client->input_ended && client->held_count == 0 && client->wait_count == 0 &&
           client->listing == NULL && stream_unsent(client->stream) == 0;
}

/* --- the control interface -------------------------------------------------------------------- */

int control_new(struct control **control, struct loop *loop, const struct control_owner *owner,
                void *context)
{
    struct control *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    made->loop = loop;
    made->owner = owner;
    made->owner_context = context;
    made->started_ms = loop_now(loop);
    list_init(&made->clients);
    list_init(&made->waits);
    list_init(&made->streams);
    list_init(&made->files);
    *control = made;
    return 0;
}

void control_attach(struct control *control, struct node *node)
{
    control->node = node;
    control->seen_seq = events_last(node_db(node));
}

void control_free(struct control *control)
{
    if (control == NULL)
        return;
    list_for_each_safe (node, &control->clients)
        client_free(client_at(node));
    listener_free(control->listener);
    free(control);
}

int control_listen(struct control *control, const char *path, mode_t mode)
{
    int r = listener_new_unix(&control->listener, control->loop, path, mode, on_accept, control);
    if (r == 0)
        log_info("control socket %s", path);
    else
        log_error("can't make the control socket %s: %s", path,
                  r == -EADDRINUSE ? "another daemon answers there" : strerror(-r));
    return r;
}

int control_inherit(struct control *control, int fd)
{
    return listener_inherit(&control->listener, control->loop, fd, on_accept, control);
}

const char *control_path(const struct control *control)
{
    return listener_name(control->listener);
}

/* What the last turn promised is said now, and what it brought, before anything else is done. */
static void release_all(struct control *control)
{
    list_for_each (node, &control->clients) {
        struct control_client *client = client_at(node);
        control_client_release(client, control->outcome);
        client->call_count = 0;
        if (control->outcome == 0 && !turn_is_over(control))
            control_follow_pump(client);
        stream_push(client->stream);
    }
    control->callers = 0;
}

/* The next turn goes on after this client. */
static void begin_after(struct control *control, struct list *node)
{
    struct list *first;
    do {
        first = control->clients.next;
        list_remove(first);
        list_append(&control->clients, first);
    } while (first != node);
}

/* Goes on with everybody's work, one after the other, until the turn is over. */
static void serve_all(struct control *control)
{
    list_for_each (node, &control->clients) {
        struct control_client *client = client_at(node);
        if (control->outcome == 0)
            control_follow_pump(client);
        if (client->listing != NULL)
            control_listing_step(client);
        serve_lines(client);
        if (client->listing != NULL)
            loop_wake(control->loop);
        if (turn_is_over(control)) {
            begin_after(control, node);
            loop_wake(control->loop);
            return;
        }
    }
}

void control_settled(struct control *control, int outcome)
{
    control->settled_ms = clock_monotonic_ms();
    control->outcome = outcome;
    if (outcome == 0)
        control_wait_events(control);
    release_all(control);
}

void control_go_on(struct control *control)
{
    serve_all(control);
    list_for_each_safe (node, &control->clients) {
        struct control_client *client = client_at(node);
        if (client->broken || is_finished(client))
            client_free(client);
    }
}

/* --- what the node reports -------------------------------------------------------------------- */

static void on_presence(void *context, const struct peer *peer)
{
    struct control *control = context;
    control_wait_peer(control, peer, false);
    list_for_each (node, &control->clients)
        control_follow_presence(client_at(node), peer);
}

static void on_request(void *context, const struct pending_key *request)
{
    struct control *control = context;
    list_for_each (node, &control->clients)
        control_follow_request(client_at(node), request);
}

static void on_pong(void *context, const struct peer *peer)
{
    control_wait_peer(context, peer, true);
}

static void on_merged(void *context, const struct peer *peer, int64_t former)
{
    struct control *control = context;
    services_merge(&node_streams(control->node)->services, former, peer->row.id);
    list_for_each (node, &control->clients)
        control_follow_merged(client_at(node), peer, former);
}

static void on_unreached(void *context, const struct peer *peer)
{
    control_wait_peer(context, peer, false);
}

const struct observer control_observer = {.presence = on_presence,
                                          .request = on_request,
                                          .pong = on_pong,
                                          .merged = on_merged,
                                          .stream = control_stream_news,
                                          .call = control_request_given,
                                          .call_stop = control_request_stop,
                                          .unreached = on_unreached,
                                          .transfer = control_files_ended};

/* --- stopping --------------------------------------------------------------------------------- */

void control_stop(struct control *control)
{
    control->stopping = true;
    control_wait_stop(control);
    control_files_stop(control);
    list_for_each (node, &control->clients) {
        struct control_client *client = client_at(node);
        control_follow_stopping(client);
        control_follow_forget(client);
        client->input_ended = true;
    }
    listener_free(control->listener);
    control->listener = NULL;
}

bool control_flushed(const struct control *control)
{
    list_for_each (node, &control->clients) {
        const struct control_client *client = client_at(node);
        if (client->held_count > 0 || client->listing != NULL || stream_unsent(client->stream) > 0)
            return false;
    }
    return true;
}
