/* SPDX-License-Identifier: ISC */
/*
 * What people may ask about peers.
 */
#define LOG_COMPONENT "peer"
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core/node.h"
#include "core/node_state.h"

int node_find_peer(const struct node *node, const char *name, struct peer **peer)
{
    struct fingerprint key;
    if (fingerprint_parse(name, &key) == 0)
        *peer = roster_by_key(&node->roster, &key);
    else
        *peer = roster_by_name(&node->roster, name);
    return *peer != NULL ? 0 : NODE_NO_SUCH_PEER;
}

int node_find_past_peer(const struct node *node, const char *name, int64_t *id)
{
    struct fingerprint key;
    struct peer *peer;
    if (node_find_peer(node, name, &peer) == 0) {
        *id = peer->row.id;
        return 0;
    }
    const bool has_key = fingerprint_parse(name, &key) == 0;
    const int r = peers_find_removed(node->runtime.db, name, has_key ? key.bytes : NULL, id);
    return r == DB_NOT_FOUND ? NODE_NO_SUCH_PEER : outcome_of_store(r);
}

int node_find_only_peer(const struct node *node, struct peer **peer)
{
    if (node->runtime.settings.default_peer[0] != '\0')
        return node_find_peer(node, node->runtime.settings.default_peer, peer);
    *peer = roster_first(&node->roster);
    return node->roster.count == 1   ? 0
           : node->roster.count == 0 ? NODE_NO_SUCH_PEER
                                     : NODE_AMBIGUOUS_PEER;
}

int node_take_in(struct node *node, struct peer_row *row, struct peer **peer)
{
    int r = roster_add(&node->roster, row, peer);
    if (r != 0)
        return r;
    admission_grant(&node->admission, *peer);
    peer_dial(*peer);
    return 0;
}

int node_peer_add(struct node *node, const char *name, const struct address *addresses,
                  unsigned address_count, const struct fingerprint *key, enum peer_trust trust,
                  struct peer **peer)
{
    struct peer_row row = {.trust = key != NULL ? trust : PEER_UNPINNED,
                           .pinned = key != NULL,
                           .address_count = address_count};
    if (strlen(name) >= sizeof row.name)
        return NODE_BAD_NAME;
    snprintf(row.name, sizeof row.name, "%s", name);
    if (key != NULL)
        memcpy(row.key, key->bytes, sizeof row.key);
    if (address_count > 0)
        memcpy(row.addresses, addresses, address_count * sizeof *addresses);
    return node_take_in(node, &row, peer);
}

/* Who is meant when nobody is named stays so under another name. */
static void follow_default(struct node *node, const char *from, const char *to)
{
    char *now = node->runtime.settings.default_peer;
    if (strcmp(now, from) != 0)
        return;
    if (node->configured_default[0] == '\0')
        memcpy(node->configured_default, now, PEER_NAME_MAX);
    snprintf(now, PEER_NAME_MAX, "%s", to);
    log_notice("peer %s is named by default-peer in p2pchatd.conf: change that to %s as well",
               node->configured_default, to);
}

const char *node_outdated_default(const struct node *node)
{
    const char *now = node->runtime.settings.default_peer;
    const char *configured = node->configured_default;
    return configured[0] != '\0' && strcmp(configured, now) != 0 ? configured : NULL;
}

int node_peer_rename(struct node *node, struct peer *peer, const char *name)
{
    struct peer_row row = peer->row;
    if (strcmp(name, row.name) == 0)
        return 0;
    int r = roster_check_name(&node->roster, name);
    if (r != 0)
        return r;
    snprintf(row.name, sizeof row.name, "%s", name);
    const struct peer_row before = peer->row;
    r = roster_update(&node->roster, peer, &row);
    if (r == 0)
        follow_default(node, before.name, name);
    return r;
}

int node_peer_set_addresses(struct node *node, struct peer *peer, const struct address *addresses,
                            unsigned address_count)
{
    struct peer_row row = peer->row;
    row.address_count = address_count;
    if (address_count > 0)
        memcpy(row.addresses, addresses, address_count * sizeof *addresses);
    int r = roster_update(&node->roster, peer, &row);
    if (r != 0)
        return r;
    peer_forget_attempts(peer);
    r = peer_forget_way(peer);
    if (r != 0)
        return outcome_of_store(r);
    if (peer->link == NULL)
        peer_dial_at_once(peer);
    return 0;
}

int node_check_pq(bool require)
{
    return !require || (exchange_suites() & SUITE_BIT(SUITE_HYBRID)) != 0 ? 0 : NODE_NO_PQ;
}

int node_peer_require_pq(struct node *node, struct peer *peer, bool require)
{
    struct peer_row row = peer->row;
    int r = node_check_pq(require);
    if (r != 0 || require == row.require_pq)
        return r;
    row.require_pq = require;
    r = roster_update(&node->roster, peer, &row);
    if (r != 0)
        return r;
    if (peer->link != NULL && peer_needs_stronger(peer, peer->link))
        link_close(peer->link, CLOSE_REFUSED);
    else if (!require && peer->link == NULL)
        peer_dial_at_once(peer);
    return 0;
}

int node_peer_remove(struct node *node, struct peer *peer)
{
    const int64_t id = peer->row.id;
    int r = roster_remove(&node->roster, peer);
    if (r == 0)
        r = calls_drop(&node->calls, id);
    files_touch(&node->files);
    return r == 0 ? removal_add(&node->removal, id) : r;
}

int node_peer_verify(struct node *node, struct peer *peer, const struct fingerprint *key)
{
    struct peer_row row = peer->row;
    if (!row.pinned)
        return NODE_NO_KEY;
    if (row.trust == PEER_BLOCKED)
        return NODE_BLOCKED;
    if (memcmp(key->bytes, row.key, PEER_KEY_SIZE) != 0)
        return NODE_MISMATCH;
    row.trust = PEER_VERIFIED;
    return roster_update(&node->roster, peer, &row);
}

int node_peer_verify_number(struct node *node, struct peer *peer, const char *number)
{
    struct fingerprint key;
    if (!peer->row.pinned)
        return NODE_NO_KEY;
    memcpy(key.bytes, peer->row.key, sizeof key.bytes);
    int r = safety_number_compare(runtime_fingerprint(&node->runtime), &key, number);
    if (r != 0)
        return r < 0 ? r : r == SAFETY_NUMBER_OTHER ? NODE_MISMATCH : NODE_MALFORMED;
    return node_peer_verify(node, peer, &key);
}

int node_peer_block(struct node *node, struct peer *peer)
{
    struct peer_row row = peer->row;
    row.trust = PEER_BLOCKED;
    int r = roster_update(&node->roster, peer, &row);
    if (r != 0)
        return r;
    peer_stop_dialling(peer);
    if (peer->link != NULL)
        link_close(peer->link, CLOSE_REFUSED);
    return 0;
}

int node_peer_unblock(struct node *node, struct peer *peer)
{
    struct peer_row row = peer->row;
    if (row.trust != PEER_BLOCKED)
        return 0;
    row.trust = row.pinned ? PEER_TOFU : PEER_UNPINNED;
    int r = roster_update(&node->roster, peer, &row);
    if (r == 0)
        peer_dial_at_once(peer);
    return r;
}

static void end_request(struct node *node, struct pending_key *request)
{
    struct link *link = request->link;
    pending_keys_remove(&node->pending_keys, request);
    if (link != NULL)
        link_close(link, CLOSE_REFUSED);
}

int node_request_block(struct node *node, const struct fingerprint *key, struct peer **peer)
{
    struct pending_key *request = pending_keys_find(&node->pending_keys, key);
    int r = roster_adopt(&node->roster, NULL, key, PEER_BLOCKED, peer);
    if (r == 0 && request != NULL)
        end_request(node, request);
    return r;
}

int node_request_reject(struct node *node, const struct fingerprint *key)
{
    struct pending_key *request = pending_keys_find(&node->pending_keys, key);
    if (request == NULL)
        return NODE_NO_SUCH_REQUEST;
    end_request(node, request);
    return 0;
}

/* A known peer gets the key that it has changed to, or its first one. */
static int accept_for(struct node *node, struct peer *peer, const struct fingerprint *key)
{
    bool offered =
        peer->row.offered && memcmp(peer->row.offered_key, key->bytes, PEER_KEY_SIZE) == 0;
    bool asked = pending_keys_find(&node->pending_keys, key) != NULL;
    if (peer->row.pinned ? !offered : !asked)
        return NODE_MISMATCH;
    if (roster_by_key(&node->roster, key) != NULL)
        return NODE_KEY_TAKEN;
    int r = roster_pin(&node->roster, peer, key, PEER_TOFU);
    if (r != 0)
        return r;
    if (peer->link != NULL)
        link_close(peer->link, CLOSE_REFUSED);
    admission_grant(&node->admission, peer);
    peer_dial_at_once(peer);
    return roster_use(&node->roster, peer);
}

int node_accept(struct node *node, const char *name, const struct fingerprint *key,
                struct peer **peer)
{
    *peer = name != NULL ? roster_by_name(&node->roster, name) : NULL;
    if (*peer != NULL)
        return accept_for(node, *peer, key);
    if (pending_keys_find(&node->pending_keys, key) == NULL)
        return NODE_NO_SUCH_REQUEST;
    int r = roster_adopt(&node->roster, name, key, PEER_TOFU, peer);
    if (r == 0)
        admission_grant(&node->admission, *peer);
    return r;
}

int node_peer_connect(struct peer *peer)
{
    if (peer->row.trust == PEER_BLOCKED)
        return NODE_BLOCKED;
    const bool let_in_again = peer->silenced;
    peer->silenced = false;
    if (peer->link != NULL)
        return 0;
    if (peer->row.address_count == 0 && peer->hearsay.count == 0)
        return let_in_again ? 0 : NODE_NO_ADDRESS;
    peer_dial_at_once(peer);
    return 0;
}

int node_peer_use(struct node *node, struct peer *peer)
{
    return roster_use(&node->roster, peer);
}

void node_peer_disconnect(struct peer *peer)
{
    peer->silenced = true;
    peer_stop_dialling(peer);
    if (peer->link != NULL)
        link_close(peer->link, CLOSE_NORMAL);
}

int node_peer_ping(struct node *node, struct peer *peer)
{
    if (peer->link == NULL || !link_open(peer->link))
        return NODE_OFFLINE;
    uint64_t now = loop_now(node->runtime.loop);
    if (!session_ping(peer->link->session, now, now))
        return NODE_TOO_OFTEN;
    link_touch(peer->link);
    return 0;
}
