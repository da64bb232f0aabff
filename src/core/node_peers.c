/*
 * What people may ask about peers.
 */
#define LOG_COMPONENT "node"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/log.h"
#include "core/admission.h"
#include "core/node_state.h"
#include "core/trust.h"

/* Outcomes of the store as ours. */
static int outcome_of(int r)
{
    return r == DB_EXISTS ? NODE_NAME_TAKEN : r == DB_FULL ? NODE_DISK_FULL : r;
}

static uint64_t wall(const struct node *node)
{
    return loop_wall(node->loop);
}

int node_find_peer(const struct node *node, const char *name, struct peer **peer)
{
    struct fingerprint key;
    if (fingerprint_parse(name, &key) == 0)
        *peer = roster_by_key(&node->roster, &key);
    else
        *peer = roster_by_name(&node->roster, name);
    return *peer != NULL ? 0 : NODE_NO_SUCH_PEER;
}

int node_find_only_peer(const struct node *node, struct peer **peer)
{
    if (node->settings.default_peer[0] != '\0')
        return node_find_peer(node, node->settings.default_peer, peer);
    *peer = roster_first(&node->roster);
    return node->roster.count == 1   ? 0
           : node->roster.count == 0 ? NODE_NO_SUCH_PEER
                                     : NODE_AMBIGUOUS_PEER;
}

void node_default_name(const struct fingerprint *key, char name[static PEER_NAME_MAX])
{
    enum { SHOWN = 8 };
    char digits[2 * SHOWN + 1];
    hex_encode(key->bytes, SHOWN, digits);
    snprintf(name, PEER_NAME_MAX, "peer-%s", digits);
}

/* Whether a peer may have this name and this key (either may be NULL). */
static int check_free(const struct node *node, const char *name, const struct fingerprint *key)
{
    if (name != NULL && !roster_name_valid(name))
        return NODE_BAD_NAME;
    if (name != NULL && roster_by_name(&node->roster, name) != NULL)
        return NODE_NAME_TAKEN;
    if (key == NULL)
        return 0;
    if (fingerprint_equal(key, pubkey_fingerprint(node_pubkey(node))))
        return NODE_OWN_KEY;
    return roster_by_key(&node->roster, key) != NULL ? NODE_KEY_TAKEN : 0;
}

/* A request is answered: its session, if it waits, belongs to this peer now. */
static void attach_request(struct node *node, struct peer *peer, const struct fingerprint *key)
{
    struct request *request = requests_find(&node->requests, key);
    if (request == NULL)
        return;
    struct link *link = request->link;
    requests_remove(&node->requests, request);
    if (link == NULL || link->state != LINK_ACTIVE)
        return;
    peer_link_up(peer, link);
    session_approve(link->session, loop_now(node->loop));
    link_touch(link);
}

static int note_trust(struct node *node, const struct peer *peer)
{
    struct event_row event = {.type = EVENT_PEER_TRUST,
                              .time_ms = wall(node),
                              .peer = peer->row.id,
                              .trust = peer_trust(peer)};
    log_event(LOG_LEVEL_NOTICE, "peer-trust", peer->row.name, "trust is %s now",
              trust_name(event.trust));
    return outcome_of(events_add(node->db, &event));
}

int node_peer_make(struct node *node, struct peer_row *row, struct peer **peer)
{
    struct fingerprint key;
    memcpy(key.bytes, row->key, sizeof key.bytes);
    int r = check_free(node, row->name, row->pinned ? &key : NULL);
    if (r != 0)
        return r;
    row->created_ms = wall(node);
    r = peers_add(node->db, row);
    if (r == 0)
        r = peer_new(peer, node, row);
    if (r != 0)
        return outcome_of(r);
    roster_add(&node->roster, *peer);
    if (row->trust != PEER_UNPINNED)
        r = note_trust(node, *peer);
    if (row->pinned && row->trust != PEER_BLOCKED)
        attach_request(node, *peer, &key);
    peer_dial(*peer);
    return r;
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
    return node_peer_make(node, &row, peer);
}

int node_peer_update(struct node *node, struct peer *peer, const struct peer_row *row)
{
    bool news = row->trust != peer->row.trust;
    int r = peers_update(node->db, row, wall(node));
    if (r != 0)
        return outcome_of(r);
    peer->row = *row;
    return news ? note_trust(node, peer) : 0;
}

int node_peer_rename(struct node *node, struct peer *peer, const char *name)
{
    struct peer_row row = peer->row;
    if (strcmp(name, row.name) == 0)
        return 0;
    int r = check_free(node, name, NULL);
    if (r != 0)
        return r;
    snprintf(row.name, sizeof row.name, "%s", name);
    return node_peer_update(node, peer, &row);
}

int node_peer_set_addresses(struct node *node, struct peer *peer, const struct address *addresses,
                            unsigned address_count)
{
    struct peer_row row = peer->row;
    row.address_count = address_count;
    if (address_count > 0)
        memcpy(row.addresses, addresses, address_count * sizeof *addresses);
    int r = node_peer_update(node, peer, &row);
    if (r != 0)
        return r;
    peer_forget_attempts(peer);
    if (peer->link == NULL)
        peer_dial_at_once(peer);
    return 0;
}

static int note_seq(void *context, const struct message_row *row)
{
    int64_t *seq = context;
    *seq = row->seq;
    return 0;
}

static int cancel_queue(struct node *node, const struct peer *peer)
{
    for (;;) {
        int64_t head = 0;
        int r = messages_queue(node->db, peer->row.id, 0, 1, note_seq, &head);
        if (r == 0 && head != 0)
            r = messages_set_state(node->db, head, MESSAGE_CANCELLED, "the peer was removed",
                                   wall(node));
        if (r != 0 || head == 0)
            return r;
    }
}

int node_peer_remove(struct node *node, struct peer *peer)
{
    int r = cancel_queue(node, peer);
    if (r == 0)
        r = peers_remove(node->db, peer->row.id, wall(node));
    if (r != 0)
        return outcome_of(r);
    peer->silenced = true;
    links_abandon_peer(&node->links, peer, CLOSE_NORMAL);
    if (peer->seen_online)
        node->observer->presence(node->observer_context, peer);
    roster_remove(&node->roster, peer);
    return 0;
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
    return node_peer_update(node, peer, &row);
}

int node_peer_verify_number(struct node *node, struct peer *peer, const char *number)
{
    struct fingerprint key;
    if (!peer->row.pinned)
        return NODE_NO_KEY;
    memcpy(key.bytes, peer->row.key, sizeof key.bytes);
    int r = safety_number_compare(pubkey_fingerprint(node_pubkey(node)), &key, number);
    if (r != 0)
        return r < 0 ? r : r == SAFETY_NUMBER_OTHER ? NODE_MISMATCH : NODE_MALFORMED;
    return node_peer_verify(node, peer, &key);
}

int node_peer_block(struct node *node, struct peer *peer)
{
    struct peer_row row = peer->row;
    row.trust = PEER_BLOCKED;
    int r = node_peer_update(node, peer, &row);
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
    int r = node_peer_update(node, peer, &row);
    if (r == 0)
        peer_dial_at_once(peer);
    return r;
}

static void end_request(struct node *node, struct request *request)
{
    struct link *link = request->link;
    requests_remove(&node->requests, request);
    if (link != NULL)
        link_close(link, CLOSE_REFUSED);
}

int node_request_block(struct node *node, const struct fingerprint *key, struct peer **peer)
{
    char name[PEER_NAME_MAX];
    struct request *request = requests_find(&node->requests, key);
    node_default_name(key, name);
    int r = node_peer_add(node, name, NULL, 0, key, PEER_BLOCKED, peer);
    if (r == 0 && request != NULL)
        end_request(node, request);
    return r;
}

int node_request_reject(struct node *node, const struct fingerprint *key)
{
    struct request *request = requests_find(&node->requests, key);
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
    bool asked = requests_find(&node->requests, key) != NULL;
    if (peer->row.pinned ? !offered : !asked)
        return NODE_MISMATCH;
    if (roster_by_key(&node->roster, key) != NULL)
        return NODE_KEY_TAKEN;
    int r = admission_pin(node, peer, key, PEER_TOFU);
    if (r != 0)
        return r;
    if (peer->link != NULL)
        link_close(peer->link, CLOSE_REFUSED);
    attach_request(node, peer, key);
    peer_dial_at_once(peer);
    return 0;
}

int node_accept(struct node *node, const char *name, const struct fingerprint *key,
                struct peer **peer)
{
    char made_name[PEER_NAME_MAX];
    *peer = name != NULL ? roster_by_name(&node->roster, name) : NULL;
    if (*peer != NULL)
        return accept_for(node, *peer, key);
    if (requests_find(&node->requests, key) == NULL)
        return NODE_NO_SUCH_REQUEST;
    if (name == NULL) {
        node_default_name(key, made_name);
        name = made_name;
    }
    return node_peer_add(node, name, NULL, 0, key, PEER_TOFU, peer);
}

int node_peer_connect(struct peer *peer)
{
    if (peer->row.trust == PEER_BLOCKED)
        return NODE_BLOCKED;
    peer->silenced = false;
    if (peer->link != NULL)
        return 0;
    if (peer->row.address_count == 0)
        return NODE_NO_ADDRESS;
    peer_dial_at_once(peer);
    return 0;
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
    uint64_t now = loop_now(node->loop);
    if (!session_ping(peer->link->session, now, now))
        return NODE_TOO_OFTEN;
    link_touch(peer->link);
    return 0;
}
