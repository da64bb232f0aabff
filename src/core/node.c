/* SPDX-License-Identifier: ISC */
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
#include "crypto/random.h"
#include "net/local_address.h"
#include "store/queue.h"

static unsigned list_own_addresses(void *context, struct address *addresses, unsigned max)
{
    return node_own_addresses(context, addresses, max);
}

/* Gives each part those that it needs. */
static void introduce(struct node *node)
{
    node->admission = (struct admission){.runtime = &node->runtime,
                                         .limits = &node->limits,
                                         .links = &node->links,
                                         .pending_keys = &node->pending_keys,
                                         .roster = &node->roster,
                                         .adoption = &node->adoption,
                                         .housekeeping = &node->housekeeping,
                                         .body_sealer = node->body_sealer,
                                         .merging = &node->merging};
    node->adoption = (struct adoption){.runtime = &node->runtime, .roster = &node->roster};
    node->merging = (struct merging){.runtime = &node->runtime,
                                     .roster = &node->roster,
                                     .housekeeping = &node->housekeeping,
                                     .body_sealer = node->body_sealer};
    node->delivery = (struct delivery){.runtime = &node->runtime,
                                       .housekeeping = &node->housekeeping,
                                       .quota = &node->quota,
                                       .body_sealer = node->body_sealer,
                                       .calls = &node->calls,
                                       .files = &node->files};
    node->calls = (struct calls){.runtime = &node->runtime,
                                 .roster = &node->roster,
                                 .services = &node->streams.services,
                                 .outgoing = {&node->runtime, node->body_sealer},
                                 .housekeeping = &node->housekeeping};
    node->answers = (struct link_answers){.runtime = &node->runtime,
                                          .limits = &node->limits,
                                          .pending_keys = &node->pending_keys,
                                          .roster = &node->roster,
                                          .admission = &node->admission,
                                          .delivery = &node->delivery,
                                          .streams = &node->streams,
                                          .tell = &node->tell,
                                          .clones = &node->clones};
    node->clones = (struct clones){
        .runtime = &node->runtime, .links = &node->links, .housekeeping = &node->housekeeping};
    node->tell =
        (struct tell){.runtime = &node->runtime, .own = list_own_addresses, .context = node};
}

/* Which one we are, for peers: a copy of the store has other first bytes, another run other last.
 */
static int choose_instance(struct runtime *runtime)
{
    memcpy(runtime->instance, db_instance(runtime->db), INSTANCE_SIZE);
    return random_bytes(runtime->instance + INSTANCE_STORE_PART,
                        INSTANCE_SIZE - INSTANCE_STORE_PART);
}

/* --- the store key ---------------------------------------------------------------------------- */

struct trial {
    struct body_sealer *body_sealer;
    bool opened;
};

/* Leaves out what doesn't open, so that the next is tried. */
static int try_body(void *context, const struct message_row *row)
{
    struct trial *trial = context;
    struct bytes text = {0};
    int r = body_sealer_open(trial->body_sealer, row, &text);
    trial->opened = trial->opened || r == 0;
    bytes_deinit(&text);
    return r < 0 ? r : r != 0;
}

/* A store of an older version says nothing of its key: some of the newest bodies must open. */
static int try_key(struct db *db, struct body_sealer *body_sealer, const uint8_t *tag)
{
    struct trial trial = {.body_sealer = body_sealer};
    const struct messages_filter newest = {.limit = 1};
    int r = messages_newest(db, &newest, try_body, &trial);
    if (r != 0)
        return r;
    return trial.opened ? db_bind(db, tag, true) : DB_EXISTS;
}

static int seal_plain(void *context, bool given, struct span owner,
                      const uint8_t secret[static PEER_INVITE_SIZE],
                      uint8_t sealed[static PEER_INVITE_SEALED_SIZE])
{
    return body_sealer_seal_secret(context, given ? INVITE_GIVEN : INVITE_TAKEN, owner, secret,
                                   sealed);
}

int node_bind_store(struct db *db, const struct secret *store_key)
{
    struct body_sealer *body_sealer;
    uint8_t tag[DB_KEY_CHECK_SIZE];
    int r = body_sealer_new(&body_sealer, store_key);
    if (r < 0)
        return r;
    r = body_sealer_tag(body_sealer, "p2pchat/1 key check", NULL, 0, tag);
    if (r == 0)
        r = db_bind(db, tag, false);
    if (r == DB_NOT_FOUND)
        r = try_key(db, body_sealer, tag);
    if (r == 0)
        r = queue_retry(db);
    if (r == 0)
        r = invites_seal_all(db, seal_plain, body_sealer);
    body_sealer_free(body_sealer);
    if (r == DB_EXISTS)
        return NODE_MISMATCH;
    return outcome_of_store(r == 0 ? db_commit(db) : r);
}

/* --- the node --------------------------------------------------------------------------------- */

int node_new(struct node **node, const struct node_parts *parts, const struct settings *settings)
{
    struct node *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    made->runtime = (struct runtime){.loop = parts->loop,
                                     .db = parts->db,
                                     .self = parts->self,
                                     .settings = *settings,
                                     .observer = parts->observer,
                                     .observer_context = parts->observer_context};
    made->settled = parts->settled;
    made->settled_context = parts->settled_context;
    list_init(&made->stirred);
    made->runtime.stirred = &made->stirred;
    turn_init(&made->turn);
    made->runtime.turn = &made->turn;
    limits_init(&made->limits, loop_now(parts->loop));
    links_init(&made->links, &made->runtime, &core_link_events, &made->answers);
    pending_keys_init(&made->pending_keys);
    roster_init(&made->roster, &made->runtime, &made->links);
    quota_init(&made->quota, &made->runtime);
    int r = choose_instance(&made->runtime);
    if (r == 0)
        r = housekeeping_init(&made->housekeeping, &made->runtime, &made->links, parts->space);
    if (r == 0)
        r = dialer_new(&made->runtime.dialer, parts->loop);
    if (r == 0)
        r = body_sealer_new(&made->body_sealer, parts->store_key);
    made->runtime.body_sealer = made->body_sealer;
    introduce(made);
    if (r == 0)
        r = merging_init(&made->merging);
    if (r == 0)
        r = removal_init(&made->removal, &made->runtime);
    streams_init(&made->streams, &made->runtime, &made->roster);
    if (r == 0)
        r = files_init(&made->files, &made->runtime, &made->roster, &made->streams,
                       &made->housekeeping, parts->spool, parts->store_key);
    made->links.files = r == 0 && made->files.spool != NULL;
    if (r == 0)
        r = doorway_init(&made->doorway, &made->runtime, &made->links, &made->streams);
    if (r == 0)
        r = portmap_init(&made->portmap, &made->runtime, parts->router, parts->netwatch,
                         made->body_sealer);
    if (r == 0)
        r = notice_init(&made->notice, &made->runtime, &made->links, &made->roster, &made->tell,
                        &made->portmap, parts->netwatch);
    const int listed = calls_init(&made->calls);
    if (r == 0)
        r = listed;
    if (r == 0)
        r = roster_load(&made->roster);
    if (r == 0)
        r = calls_load(&made->calls);
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
    notice_deinit(&node->notice);
    portmap_deinit(&node->portmap);
    doorway_deinit(&node->doorway);
    calls_deinit(&node->calls);
    files_deinit(&node->files);
    streams_deinit(&node->streams);
    removal_deinit(&node->removal);
    merging_deinit(&node->merging);
    housekeeping_deinit(&node->housekeeping);
    links_deinit(&node->links);
    pending_keys_deinit(&node->pending_keys);
    roster_deinit(&node->roster);
    dialer_free(node->runtime.dialer);
    body_sealer_free(node->body_sealer);
    free(node);
}

/* --- coming and going ------------------------------------------------------------------------- */

static void on_accept(void *context, struct stream *stream)
{
    struct node *node = context;
    doorway_enter(&node->doorway, stream);
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
    case -EAFNOSUPPORT:
        return "this kernel has no IPv6";
    case -ENODEV:
        return "there is no such interface; see those there are with: ip link";
    case -EACCES:
        return "not permitted; ports below 1024 are for root: choose another";
    default:
        return strerror(-error);
    }
}

static const struct listener *find_listener(const struct node *node, const struct address *address)
{
    for (unsigned i = 0; i < node->listener_count; i++)
        if (listener_serves(node->listeners[i], address))
            return node->listeners[i];
    return NULL;
}

static int listen_on(struct node *node, const struct address *address)
{
    const struct listener *served = find_listener(node, address);
    struct listener *listener;
    char text[ADDRESS_TEXT_MAX];
    address_format(address, text);
    if (served != NULL) {
        log_info("%s belongs to %s, which we listen on already", text, listener_name(served));
        return 0;
    }
    int r = listener_new_tcp(&listener, node->runtime.loop, address, on_accept, node);
    if (r == 0)
        add_listener(node, listener);
    else
        log_error("can't listen on %s: %s", text, explain_listening(r));
    return r;
}

/* The widest come first, because what they take in can't be listened on before them. */
static int width(const struct address *address)
{
    return strcmp(address->host, "::") == 0 ? 2 : strcmp(address->host, "0.0.0.0") == 0 ? 1 : 0;
}

int node_listen(struct node *node)
{
    const struct address_list *wanted = &node->runtime.settings.listen;
    int failure = 0;
    for (int wide = 2; wide >= 0; wide--) {
        for (unsigned i = 0; i < wanted->count; i++) {
            int r = width(&wanted->at[i]) == wide ? listen_on(node, &wanted->at[i]) : 0;
            if (r < 0)
                failure = r;
        }
    }
    return node->listener_count > 0 ? 0 : failure;
}

int node_inherit(struct node *node, int fd)
{
    struct listener *listener;
    if (node->listener_count == SETTINGS_LISTEN_MAX)
        return -ENOSPC;
    int r = listener_inherit(&listener, node->runtime.loop, fd, on_accept, node);
    if (r < 0)
        return r;
    add_listener(node, listener);
    node->inherited = true;
    return 0;
}

/* Where we listen, each family may have a router before it. */
static void map_ports(struct node *node)
{
    struct address listened;
    int r = 0;
    for (unsigned i = 0; i < node->listener_count && r == 0; i++) {
        bool ipv6, any;
        if (address_parse(listener_name(node->listeners[i]), &listened) < 0)
            continue;
        any = local_address_is_any(listened.host, &ipv6);
        ipv6 = ipv6 || strchr(listened.host, ':') != NULL;
        if (!ipv6 || any)
            r = portmap_add(&node->portmap, listened.port, false);
        if (ipv6 && r == 0)
            r = portmap_add(&node->portmap, listened.port, true);
    }
    if (r < 0)
        log_warning("the router is not asked for all ports: %s", strerror(-r));
    portmap_network_changed(&node->portmap);
}

void node_start(struct node *node)
{
    housekeeping_start(&node->housekeeping);
    map_ports(node);
    removal_start(&node->removal);
    roster_each (peer, &node->roster)
        peer_start(peer);
}

void node_stop(struct node *node)
{
    node->runtime.stopping = true;
    close_listeners(node);
    roster_each (peer, &node->roster)
        peer_stop_dialling(peer);
    streams_stop(&node->streams);
    links_close_all(&node->links, CLOSE_GOING_AWAY);
}

bool node_stopped(const struct node *node)
{
    return node->runtime.stopping && links_empty(&node->links);
}

void node_configure(struct node *node, const struct settings *settings)
{
    char renamed[PEER_NAME_MAX];
    struct peer *peer;
    memcpy(renamed, node->runtime.settings.default_peer, sizeof renamed);
    node->runtime.settings = *settings;
    if (node->configured_default[0] != '\0' &&
        strcmp(node->configured_default, settings->default_peer) == 0 &&
        node_find_peer(node, settings->default_peer, &peer) != 0)
        memcpy(node->runtime.settings.default_peer, renamed, sizeof renamed);
    else
        node->configured_default[0] = '\0';
    housekeeping_start(&node->housekeeping);
}

const struct settings *node_settings(const struct node *node)
{
    return &node->runtime.settings;
}

/* --- what there is to see --------------------------------------------------------------------- */

struct db *node_db(const struct node *node)
{
    return node->runtime.db;
}

struct space *node_space(const struct node *node)
{
    return node->housekeeping.space;
}

bool node_inbound_spent(const struct node *node)
{
    return quota_spent(&node->quota);
}

const struct notice *node_notice(const struct node *node)
{
    return &node->notice;
}

const struct portmap *node_portmap(const struct node *node)
{
    return &node->portmap;
}

const struct clones *node_clones(const struct node *node)
{
    return &node->clones;
}

struct loop *node_loop(const struct node *node)
{
    return node->runtime.loop;
}

const struct pubkey *node_pubkey(const struct node *node)
{
    return identity_pubkey(node->runtime.self);
}

const struct roster *node_roster(const struct node *node)
{
    return &node->roster;
}

const struct pending_keys *node_pending_keys(const struct node *node)
{
    return &node->pending_keys;
}

unsigned node_listener_count(const struct node *node)
{
    return node->listener_count;
}

bool node_listeners_inherited(const struct node *node)
{
    return node->inherited;
}

const char *node_listener_name(const struct node *node, unsigned index)
{
    return listener_name(node->listeners[index]);
}

struct calls *node_calls(struct node *node)
{
    return &node->calls;
}

struct streams *node_streams(struct node *node)
{
    return &node->streams;
}

int node_read_body(const struct node *node, const struct message_row *row, struct bytes *text)
{
    return body_sealer_open(node->body_sealer, row, text);
}
