/*
 * The switchboard: what happens on a link goes to the module that answers it.
 */
#define LOG_COMPONENT "node"
#include "core/link_events.h"

#include "base/log.h"
#include "core/admission.h"
#include "core/delivery.h"
#include "core/node_state.h"

static bool on_greeted(void *context, struct link *link)
{
    struct node *node = context;
    return limits_hello(&node->limits, stream_origin(link->stream), loop_now(node->runtime.loop));
}

/* What an item or an acknowledgement came to: a full disk costs the link, a failed one the node. */
static void check_delivery(struct node *node, struct link *link, int outcome)
{
    if (outcome == NODE_DISK_FULL)
        link_close(link, CLOSE_INTERNAL_ERROR);
    else if (outcome < 0)
        runtime_fail(&node->runtime, outcome);
}

static void on_pong(struct node *node, struct peer *peer, uint64_t sent_ms)
{
    uint64_t now = loop_now(node->runtime.loop);
    if (sent_ms == 0 || sent_ms > now)
        return; /* a probe whose answer is all that matters */
    peer->rtt_ms = now - sent_ms;
    node->runtime.observer->pong(node->runtime.observer_context, peer);
}

static void on_event(void *context, struct link *link, const struct session_event *event)
{
    struct node *node = context;
    switch (event->type) {
    case SESSION_IDENTIFIED:
        admission_identified(node, link);
        break;
    case SESSION_CONFIRMED:
        admission_confirmed(node, link);
        break;
    case SESSION_OPENED:
        log_event(LOG_LEVEL_INFO, "peer-online", link->peer->row.name, "online");
        peer_link_open(link->peer);
        delivery_start(link->peer);
        break;
    case SESSION_ITEM:
        check_delivery(node, link, delivery_receive(node, link, event));
        break;
    case SESSION_ACKED:
        check_delivery(node, link, delivery_acknowledged(node, link->peer, event->ordinal));
        break;
    case SESSION_PONG:
        if (link->peer != NULL)
            on_pong(node, link->peer, event->token);
        break;
    case SESSION_REKEYED:
        log_debug("new keys, epoch %u", event->epoch);
        break;
    case SESSION_NOTHING:
    case SESSION_ENDED:
        break;
    }
}

static void on_ended(void *context, struct link *link, const struct link_end *end)
{
    struct node *node = context;
    struct peer *peer = link->peer;
    char text[PEER_ERROR_MAX];
    pending_keys_forget_link(&node->pending_keys, link);
    link_end_text(end, text, sizeof text);
    if (peer != NULL && peer->link == link)
        log_event(LOG_LEVEL_INFO, "peer-offline", peer->row.name, "offline: %s", text);
    else
        log_debug("link from or to %s ended: %s", stream_origin(link->stream)->text, text);
    if (peer == NULL)
        return;
    if (peer->attempt == link) {
        peer_attempt_failed(peer, end);
    } else if (peer->link == link) {
        delivery_end(node, peer, end);
        peer_link_down(peer, end);
    }
}

const struct link_events node_link_events = {on_greeted, on_event, on_ended};
