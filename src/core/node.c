/*
 * The node: routes what happens on the links, and ends the turns.
 */
#define LOG_COMPONENT "node"
#include "core/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/admission.h"
#include "core/node_state.h"

int node_new(struct node **node, const struct node_parts *parts, const struct settings *settings)
{
    struct node *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    made->loop = parts->loop;
    made->db = parts->db;
    made->self = parts->self;
    made->observer = parts->observer;
    made->observer_context = parts->observer_context;
    made->settings = *settings;
    gate_init(&made->gate, loop_now(made->loop));
    links_init(&made->links);
    requests_init(&made->requests);
    roster_init(&made->roster);
    int r = housekeeping_init(&made->housekeeping, made, parts->space);
    if (r == 0)
        r = vault_new(&made->vault, parts->store_key);
    if (r == 0)
        r = roster_load(&made->roster, made, made->db);
    if (r < 0) {
        node_free(made);
        return r;
    }
    *node = made;
    return 0;
}

static void close_listeners(struct node *node)
{
    while (node->listener_count > 0)
        listener_free(node->listeners[--node->listener_count]);
}

void node_free(struct node *node)
{
    if (node == NULL)
        return;
    close_listeners(node);
    housekeeping_deinit(&node->housekeeping);
    links_deinit(&node->links);
    requests_deinit(&node->requests);
    roster_deinit(&node->roster);
    vault_free(node->vault);
    free(node);
}

void node_fail(struct node *node, int error)
{
    if (node->failure != 0)
        return;
    node->failure = error;
    log_event(LOG_LEVEL_ERROR, "store-failed", NULL, "%s: nothing is acknowledged any more",
              strerror(-error));
    loop_wake(node->loop);
}

/* --- links --- */

static bool on_greeted(void *context, struct link *link)
{
    struct node *node = context;
    return gate_hello(&node->gate, stream_origin(link->stream), loop_now(node->loop));
}

/* What an item or an acknowledgement came to: a full disk costs the link, a failed one the node. */
static void check_delivery(struct node *node, struct link *link, int outcome)
{
    if (outcome == NODE_DISK_FULL)
        link_close(link, CLOSE_INTERNAL_ERROR);
    else if (outcome < 0)
        node_fail(node, outcome);
}

static void on_pong(struct node *node, struct peer *peer, uint64_t sent_ms)
{
    uint64_t now = loop_now(node->loop);
    if (sent_ms == 0 || sent_ms > now)
        return; /* a probe whose answer is all that matters */
    peer->rtt_ms = now - sent_ms;
    node->observer->pong(node->observer_context, peer);
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
        break;
    case SESSION_ITEM:
        check_delivery(node, link, delivery_receive(link->peer, link, event));
        break;
    case SESSION_ACKED:
        check_delivery(node, link, delivery_acknowledged(link->peer, event->ordinal));
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
    requests_forget_link(&node->requests, link);
    link_end_text(end, text, sizeof text);
    if (peer != NULL && peer->link == link)
        log_event(LOG_LEVEL_INFO, "peer-offline", peer->row.name, "offline: %s", text);
    else
        log_debug("link from or to %s ended: %s", stream_origin(link->stream)->text, text);
    if (peer == NULL)
        return;
    if (peer->attempt == link)
        peer_attempt_failed(peer, end);
    else if (peer->link == link)
        peer_link_down(peer, end);
}

static const struct link_events link_events = {on_greeted, on_event, on_ended};

static void on_accept(void *context, struct stream *stream)
{
    struct node *node = context;
    const struct session_settings settings = {.role = SESSION_HOST, .self = node->self};
    struct link *link;
    if (node->stopping ||
        !links_admit_stranger(&node->links, stream_origin(stream), loop_now(node->loop))) {
        stream_free(stream);
        return;
    }
    if (link_new(&link, node->loop, stream, &settings, &link_events, node) == 0)
        links_add(&node->links, link);
}

int node_join(struct node *node, struct stream *stream, struct peer *peer, struct link **link)
{
    const struct session_settings settings = {
        .role = SESSION_JOINER,
        .self = node->self,
        .invite_secret = peer->row.invited ? peer->row.invite_secret : NULL,
    };
    int r = link_new(link, node->loop, stream, &settings, &link_events, node);
    if (r < 0)
        return r;
    (*link)->peer = peer;
    links_add(&node->links, *link);
    return 0;
}

/* --- coming and going --- */

static void add_listener(struct node *node, struct listener *listener)
{
    node->listeners[node->listener_count++] = listener;
    log_event(LOG_LEVEL_INFO, "listening", NULL, "listening on %s", listener_name(listener));
}

int node_listen(struct node *node)
{
    for (unsigned i = 0; i < node->settings.listen_count; i++) {
        const struct address *address = &node->settings.listen[i];
        struct listener *listener;
        int r = listener_new_tcp(&listener, node->loop, address, on_accept, node);
        if (r < 0) {
            char text[ADDRESS_TEXT_MAX];
            address_format(address, text);
            log_error("can't listen on %s: %s", text,
                      r == -EINVAL ? "not an IP address" : strerror(-r));
            return r;
        }
        add_listener(node, listener);
    }
    return 0;
}

int node_inherit(struct node *node, int fd)
{
    struct listener *listener;
    if (node->listener_count == SETTINGS_LISTEN_MAX)
        return -ENOSPC;
    int r = listener_inherit(&listener, node->loop, fd, on_accept, node);
    if (r < 0)
        return r;
    add_listener(node, listener);
    return 0;
}

void node_start(struct node *node)
{
    housekeeping_start(&node->housekeeping);
    roster_each (peer, &node->roster)
        peer_start(peer);
}

void node_stop(struct node *node)
{
    node->stopping = true;
    close_listeners(node);
    roster_each (peer, &node->roster)
        peer_stop_dialling(peer);
    links_close_all(&node->links, CLOSE_GOING_AWAY);
}

bool node_stopped(const struct node *node)
{
    return node->stopping && links_empty(&node->links);
}

void node_configure(struct node *node, const struct settings *settings)
{
    node->settings = *settings;
    housekeeping_start(&node->housekeeping);
}

const struct settings *node_settings(const struct node *node)
{
    return &node->settings;
}

/* --- the end of a turn --- */

static void pump_deliveries(struct node *node)
{
    roster_each (peer, &node->roster) {
        int r = peer->delivery.due ? delivery_pump(peer) : 0;
        if (r < 0)
            node_fail(node, r);
    }
}

static int restore_row(void *context, const struct peer_row *row)
{
    struct node *node = context;
    struct peer *peer = roster_by_id(&node->roster, row->id);
    if (peer == NULL) {
        int r = peer_new(&peer, node, row);
        if (r < 0)
            return r;
        roster_add(&node->roster, peer);
    }
    peer->row = *row;
    peer->stored = true;
    if (peer->state == PEER_OFFLINE)
        peer_dial(peer); /* what would have ended it did not happen */
    return 0;
}

/* The turn was undone: what memory believes beyond the store must go, and the links that heard of
 * it. */
static int undo_turn(struct node *node)
{
    log_event(LOG_LEVEL_ERROR, "disk-full", NULL,
              "the disk is full: the last changes were not kept");
    housekeeping_disk_full(&node->housekeeping);
    links_close_all(&node->links, CLOSE_INTERNAL_ERROR);
    roster_each (peer, &node->roster)
        peer->stored = false;
    int r = peers_each(node->db, restore_row, node);
    list_for_each_safe (position, &node->roster.list) {
        struct peer *peer = container_of(position, struct peer, node);
        if (!peer->stored) {
            links_abandon_peer(&node->links, peer, CLOSE_INTERNAL_ERROR);
            roster_remove(&node->roster, peer);
        }
    }
    return r;
}

static int commit(struct node *node)
{
    if (node->failure != 0)
        return node->failure;
    int r = db_commit(node->db);
    if (r == DB_FULL) {
        r = undo_turn(node);
        return r < 0 ? r : NODE_DISK_FULL;
    }
    return r;
}

static void tell_presence(struct node *node)
{
    roster_each (peer, &node->roster) {
        bool online = peer->state == PEER_ONLINE;
        if (online == peer->seen_online)
            continue;
        peer->seen_online = online;
        node->observer->presence(node->observer_context, peer);
    }
}

void node_turn_end(struct node *node)
{
    pump_deliveries(node);
    int outcome = commit(node);
    if (outcome < 0)
        node_fail(node, outcome);
    else
        links_turn_end(&node->links);
    tell_presence(node);
    node->observer->settled(node->observer_context, outcome);
}

/* --- what there is to see --- */

struct db *node_db(const struct node *node)
{
    return node->db;
}

struct space *node_space(const struct node *node)
{
    return node->housekeeping.space;
}

struct loop *node_loop(const struct node *node)
{
    return node->loop;
}

const struct pubkey *node_pubkey(const struct node *node)
{
    return identity_pubkey(node->self);
}

const struct roster *node_roster(const struct node *node)
{
    return &node->roster;
}

const struct requests *node_requests(const struct node *node)
{
    return &node->requests;
}

unsigned node_listener_count(const struct node *node)
{
    return node->listener_count;
}

const char *node_listener_name(const struct node *node, unsigned index)
{
    return listener_name(node->listeners[index]);
}

int node_read_body(const struct node *node, const struct message_row *row, struct bytes *text)
{
    return vault_open(node->vault, row, text);
}
