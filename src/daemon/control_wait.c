/* SPDX-License-Identifier: ISC */
/*
 * Calls that are answered later.
 */
#include "daemon/control_wait.h"

#include <stdlib.h>

#include "daemon/control_client.h"
#include "daemon/control_pairing.h"
#include "daemon/control_view.h"

enum wait_kind {
    WAIT_STATE,   /* of a message */
    WAIT_PONG,    /* of a peer */
    WAIT_PAIRING, /* with a peer, by its invite */
};

struct wait {
    struct list node; /* in control->waits */
    enum wait_kind kind;
    struct control_client *client;
    json_t *id;  /* of the call */
    bool silent; /* the call was a notification */
    struct timer *timer;
    struct uuid message;      /* STATE: of this message … */
    enum message_state state; /* … this one */
    int64_t peer;             /* that it is about */
};

static void wait_free(struct wait *wait)
{
    list_remove(&wait->node);
    wait->client->wait_count--;
    timer_free(wait->timer);
    json_decref(wait->id);
    free(wait);
}

static void answer(struct wait *wait, json_t *message)
{
    if (wait->silent)
        json_decref(message);
    else
        control_client_reply(wait->client, wait->id, message);
    wait_free(wait);
}

static void answer_error(struct wait *wait, enum rpc_kind kind, const char *text)
{
    answer(wait, rpc_error_of_kind(wait->id, kind, text));
}

static void answer_failed_pairing(struct wait *wait, const struct peer *peer)
{
    struct bytes text = {0};
    enum rpc_kind kind = RPC_KIND_internal;
    int r = pairing_explain(wait->client->control->node, peer, &kind, &text);
    answer_error(wait, kind, r == 0 ? (const char *)text.data : "out of memory");
    bytes_deinit(&text);
}

static void on_timeout(void *context)
{
    struct wait *wait = context;
    const struct peer *peer = roster_by_id(node_roster(wait->client->control->node), wait->peer);
    switch (wait->kind) {
    case WAIT_STATE:
        answer_error(wait, RPC_KIND_timeout,
                     wait->state == MESSAGE_PROCESSED
                         ? "not answered in time; it may come later, see: p2pchatctl ask --result"
                         : "not delivered in time; the message stays queued; why it waits: "
                           "p2pchatctl doctor");
        break;
    case WAIT_PONG:
        answer_error(wait, RPC_KIND_timeout, "the peer did not answer in time");
        break;
    case WAIT_PAIRING:
        if (peer != NULL)
            answer_failed_pairing(wait, peer);
        else
            answer_error(wait, RPC_KIND_cancelled, "the peer was removed meanwhile");
        break;
    }
}

static struct wait *wait_new(struct control_call *call, enum wait_kind kind, uint64_t timeout_ms)
{
    struct wait *wait = calloc(1, sizeof *wait);
    if (wait == NULL || timer_new(&wait->timer, call->control->loop, on_timeout, wait) < 0) {
        free(wait);
        return NULL;
    }
    wait->kind = kind;
    wait->client = call->client;
    wait->id = json_deep_copy(call->id);
    wait->silent = call->notification;
    if (timeout_ms != CONTROL_WAIT_FOR_EVER)
        timer_arm_at(wait->timer, loop_now(call->control->loop) + timeout_ms);
    list_append(&call->control->waits, &wait->node);
    call->client->wait_count++;
    return wait;
}

static json_t *view_state(const struct uuid *id, enum message_state state)
{
    char text[UUID_TEXT_MAX];
    uuid_format(id, text);
    return json_pack("{s:s, s:s}", "id", text, "state", control_view_state_name(state));
}

static bool reached(enum message_state now, enum message_state wanted)
{
    return now == MESSAGE_PROCESSED || now == wanted ||
           (now == MESSAGE_DELIVERED && wanted != MESSAGE_PROCESSED);
}

/* What came of a request, and the message that says so. */
static void add_result(const struct wait *wait, json_t **view)
{
    const struct node *node = wait->client->control->node;
    struct node_message message = {0};
    if (wait->state == MESSAGE_PROCESSED && node_find_message(node, &wait->message, &message) == 0)
        control_view_result(node, message.seq, true, view);
}

static void check_state(struct wait *wait, enum message_state now)
{
    if (reached(now, wait->state)) {
        json_t *view = view_state(&wait->message, now);
        add_result(wait, &view);
        answer(wait, rpc_reply(wait->id, view));
    } else if (control_view_dead_end(now) != RPC_KIND_COUNT) {
        answer_error(wait, control_view_dead_end(now),
                     "the message has left the queue undelivered");
    }
}

static void answer_held(struct wait *wait, const struct node_message *message)
{
    if (message->unreadable)
        answer_error(wait, RPC_KIND_damaged,
                     "what is stored of the message can't be read, so it waits in the queue; send "
                     "it again and take this one back (p2pchatctl queue cancel), or restore a "
                     "backup");
    else
        answer_error(wait, RPC_KIND_not_supported,
                     "the p2pchat of the peer is too old for this message; it waits in the queue "
                     "until that is a newer one");
}

/* The peer is online, and it shows whether it can take what it is sent. */
static void check_held(struct wait *wait)
{
    struct node_message message = {0};
    if (node_find_message(wait->client->control->node, &wait->message, &message) == 0 &&
        message.held)
        answer_held(wait, &message);
}

enum control_answer control_wait_message(struct control_call *call, const struct uuid *id,
                                         enum message_state state, uint64_t timeout_ms)
{
    struct node_message message = {0};
    int r = node_find_message(call->node, id, &message);
    if (r != 0)
        return control_call_outcome(call, r, control_call_string(call, "id"));
    if (message.direction == MESSAGE_IN)
        return control_call_fail(call, RPC_KIND_usage, "this message was received, not sent");
    if (state == MESSAGE_PROCESSED && message.kind != MESSAGE_REQUEST)
        return control_call_fail(call, RPC_KIND_usage, "only a request is processed");
    struct wait *wait = wait_new(call, WAIT_STATE, timeout_ms);
    if (wait == NULL)
        return control_call_done(call, NULL);
    wait->message = *id;
    wait->state = state;
    wait->peer = message.peer;
    if (message.held)
        answer_held(wait, &message);
    else
        check_state(wait, message.state);
    return CALL_LATER;
}

enum control_answer control_wait_pong(struct control_call *call, const struct peer *peer,
                                      uint64_t timeout_ms)
{
    struct wait *wait = wait_new(call, WAIT_PONG, timeout_ms);
    if (wait == NULL)
        return control_call_done(call, NULL);
    wait->peer = peer->row.id;
    return CALL_LATER;
}

/* Answers if there is something to answer. */
static void check_pairing(struct wait *wait, const struct peer *peer)
{
    switch (pairing_state(peer)) {
    case PAIRING_OPEN:
        break;
    case PAIRING_DONE:
        answer(wait, rpc_reply(wait->id, control_view_peer(wait->client->control->node, peer)));
        break;
    case PAIRING_FAILED:
        answer_failed_pairing(wait, peer);
        break;
    }
}

enum control_answer control_wait_pairing(struct control_call *call, const struct peer *peer,
                                         uint64_t timeout_ms)
{
    struct wait *wait = wait_new(call, WAIT_PAIRING, timeout_ms);
    if (wait == NULL)
        return control_call_done(call, NULL);
    wait->peer = peer->row.id;
    if (pairing_state(peer) == PAIRING_DONE)
        check_pairing(wait, peer);
    return CALL_LATER;
}

static int answer_event(void *context, const struct event_row *event)
{
    struct control *control = context;
    control->seen_seq = event->seq;
    if (event->type != EVENT_MESSAGE_STATE || event->message == NULL)
        return 0;
    list_for_each_safe (node, &control->waits) {
        struct wait *wait = container_of(node, struct wait, node);
        if (uuid_equal(&wait->message, &event->message->id))
            check_state(wait, event->state);
    }
    return 0;
}

void control_wait_events(struct control *control)
{
    struct db *db = node_db(control->node);
    if (!list_empty(&control->waits))
        events_each(db, control->seen_seq, answer_event, control);
    control->seen_seq = events_last(db);
}

static void check_pong(struct wait *wait, const struct peer *peer, bool pong)
{
    if (pong)
        answer(wait, rpc_reply(wait->id, json_pack("{s:I}", "rtt_ms", (json_int_t)peer->rtt_ms)));
    else if (peer->state != PEER_ONLINE)
        answer_error(wait, RPC_KIND_peer_offline, "the link was lost");
}

void control_wait_peer(struct control *control, const struct peer *peer, bool pong)
{
    list_for_each_safe (node, &control->waits) {
        struct wait *wait = container_of(node, struct wait, node);
        if (wait->peer != peer->row.id)
            continue;
        if (wait->kind == WAIT_STATE)
            check_held(wait);
        else if (wait->kind == WAIT_PONG)
            check_pong(wait, peer, pong);
        else
            check_pairing(wait, peer);
    }
}

void control_wait_forget(struct control_client *client)
{
    list_for_each_safe (node, &client->control->waits) {
        struct wait *wait = container_of(node, struct wait, node);
        if (wait->client == client)
            wait_free(wait);
    }
}

void control_wait_stop(struct control *control)
{
    list_for_each_safe (node, &control->waits)
        answer_error(container_of(node, struct wait, node), RPC_KIND_stopping,
                     "the daemon is stopping; messages stay queued");
}
