/*
 * The node: how it comes and goes, and what there is to see of it.
 */
#define LOG_COMPONENT "node"
#include "core/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/node_state.h"
#include "core/switchboard.h"

int node_new(struct node **node, const struct node_parts *parts, const struct settings *settings)
{
    struct node *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    made->ground = (struct ground){.loop = parts->loop,
                                   .db = parts->db,
                                   .self = parts->self,
                                   .settings = *settings,
                                   .observer = parts->observer,
                                   .observer_context = parts->observer_context};
    gate_init(&made->gate, loop_now(parts->loop));
    links_init(&made->links, &made->ground, &switchboard_events, made);
    requests_init(&made->requests);
    roster_init(&made->roster, &made->ground, &made->links);
    int r = housekeeping_init(&made->housekeeping, &made->ground, &made->links, parts->space);
    if (r == 0)
        r = vault_new(&made->vault, parts->store_key);
    if (r == 0)
        r = roster_load(&made->roster);
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

/* --- coming and going --- */

static void on_accept(void *context, struct stream *stream)
{
    struct node *node = context;
    if (node->ground.stopping ||
        !links_admit_stranger(&node->links, stream_origin(stream), loop_now(node->ground.loop)))
        stream_free(stream);
    else
        (void)links_host(&node->links, stream); /* without memory for it, it is gone as well */
}

static void add_listener(struct node *node, struct listener *listener)
{
    node->listeners[node->listener_count++] = listener;
    log_event(LOG_LEVEL_INFO, "listening", NULL, "listening on %s", listener_name(listener));
}

/* Why nobody can listen there, and what to do about it. */
static const char *explain_listening(int error)
{
    switch (error) {
    case -EINVAL:
        return "not an IP address";
    case -EADDRINUSE:
        return "another program listens there; see which with: ss -ltnp";
    case -EADDRNOTAVAIL:
        return "this machine has no such address; see those it has with: ip address";
    case -EACCES:
        return "not permitted; ports below 1024 are for root: choose another";
    default:
        return strerror(-error);
    }
}

int node_listen(struct node *node)
{
    for (unsigned i = 0; i < node->ground.settings.listen_count; i++) {
        const struct address *address = &node->ground.settings.listen[i];
        struct listener *listener;
        int r = listener_new_tcp(&listener, node->ground.loop, address, on_accept, node);
        if (r < 0) {
            char text[ADDRESS_TEXT_MAX];
            address_format(address, text);
            log_error("can't listen on %s: %s", text, explain_listening(r));
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
    int r = listener_inherit(&listener, node->ground.loop, fd, on_accept, node);
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
    node->ground.stopping = true;
    close_listeners(node);
    roster_each (peer, &node->roster)
        peer_stop_dialling(peer);
    links_close_all(&node->links, CLOSE_GOING_AWAY);
}

bool node_stopped(const struct node *node)
{
    return node->ground.stopping && links_empty(&node->links);
}

void node_configure(struct node *node, const struct settings *settings)
{
    node->ground.settings = *settings;
    housekeeping_start(&node->housekeeping);
}

const struct settings *node_settings(const struct node *node)
{
    return &node->ground.settings;
}

/* --- what there is to see --- */

struct db *node_db(const struct node *node)
{
    return node->ground.db;
}

struct space *node_space(const struct node *node)
{
    return node->housekeeping.space;
}

struct loop *node_loop(const struct node *node)
{
    return node->ground.loop;
}

const struct pubkey *node_pubkey(const struct node *node)
{
    return identity_pubkey(node->ground.self);
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
