/* SPDX-License-Identifier: ISC */
/*
 * The roster: every known peer.
 */
#define LOG_COMPONENT "roster"
#include "core/roster.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "core/body_sealer.h"
#include "core/peer_name.h"
#include "core/trust.h"
#include "crypto/random.h"
#include "proto/features.h"
#include "store/events.h"
#include "store/served.h"

static uint64_t wall(const struct roster *roster)
{
    return loop_wall(roster->runtime->loop);
}

void roster_init(struct roster *roster, const struct runtime *runtime, struct links *links)
{
    *roster = (struct roster){.runtime = runtime, .links = links};
    list_init(&roster->list);
    const uint64_t seed = (uint64_t)random_u32() << 32 | random_u32();
    hash_init(&roster->by_key, seed);
    hash_init(&roster->by_name, seed);
    hash_init(&roster->by_id, seed);
}

void roster_deinit(struct roster *roster)
{
    list_for_each_safe (node, &roster->list)
        peer_free(container_of(node, struct peer, node));
    hash_deinit(&roster->by_key);
    hash_deinit(&roster->by_name);
    hash_deinit(&roster->by_id);
}

/* --- memory and store ------------------------------------------------------------------------- */

static void forget_places(struct roster *roster, struct peer *peer)
{
    hash_remove(&roster->by_key, &peer->by_key);
    hash_remove(&roster->by_name, &peer->by_name);
    hash_remove(&roster->by_id, &peer->by_id);
}

/* Every change of row.adopted comes by here. */
static void set_adopted(struct roster *roster, struct peer *peer, bool adopted)
{
    roster->adopted += (unsigned)adopted - (unsigned)peer->counted;
    peer->row.adopted = peer->counted = adopted;
}

/* Takes over a row, under which the peer is found from now on. */
static void set_row(struct roster *roster, struct peer *peer, const struct peer_row *row)
{
    forget_places(roster, peer);
    peer->row = *row;
    if (row->pinned)
        hash_add(&roster->by_key, &peer->by_key, row->key, PEER_KEY_SIZE);
    hash_add(&roster->by_name, &peer->by_name, row->name, strlen(row->name));
    hash_add(&roster->by_id, &peer->by_id, &row->id, sizeof row->id);
    set_adopted(roster, peer, row->adopted);
}

/* By age; one that a turn had removed comes back to its place. */
static void insert(struct roster *roster, struct peer *peer)
{
    struct list *after = roster->list.previous;
    while (after != &roster->list && container_of(after, struct peer, node)->row.id > peer->row.id)
        after = after->previous;
    list_append(after->next, &peer->node);
}

static int take_in(struct roster *roster, const struct peer_row *row, struct peer **peer)
{
    int r = peer_new(peer, roster->runtime, roster->links, row);
    if (r < 0)
        return r;
    insert(roster, *peer);
    set_row(roster, *peer, row);
    roster->count++;
    return 0;
}

static void let_go(struct roster *roster, struct peer *peer)
{
    const struct runtime *runtime = roster->runtime;
    peer->silenced = true;
    links_abandon_peer(roster->links, peer, CLOSE_NORMAL);
    if (peer->seen_online)
        runtime->observer->presence(runtime->observer_context, peer);
    roster->count--;
    roster->online -= peer->seen_online;
    set_adopted(roster, peer, false);
    forget_places(roster, peer);
    peer_free(peer);
}

static int load_hearsay(const struct roster *roster, struct peer *peer)
{
    struct address told[PEER_TOLD_MAX];
    uint64_t time_ms = 0;
    int count = peers_get_told(roster->runtime->db, peer->row.id, told, &time_ms);
    if (count <= 0)
        return count;
    peer->hearsay.stored_ms = time_ms;
    int r = hearsay_take(&peer->hearsay, told, (unsigned)count, time_ms);
    return r < 0 ? r : 0;
}

/* The invite that the peer gave us; one that can't be read is as none. 0 or -errno. */
static int open_invite(const struct roster *roster, struct peer_row *row)
{
    if (!row->invited)
        return 0;
    int r = body_sealer_open_secret(roster->runtime->body_sealer, INVITE_TAKEN,
                                    SPAN(row->key, sizeof row->key), row->invite_sealed,
                                    row->invite_secret);
    if (r == BODY_SEALER_DAMAGED)
        log_warning("the invite that %s gave can't be read from the store: ask for a new one",
                    row->name);
    row->invited = r == 0;
    return r < 0 ? r : 0;
}

static int load_row(void *context, const struct peer_row *row)
{
    struct roster *roster = context;
    struct peer_row opened = *row;
    struct peer *peer = roster_by_id(roster, row->id);
    const bool is_new = peer == NULL;
    int r = open_invite(roster, &opened);
    if (r == 0 && is_new)
        r = take_in(roster, &opened, &peer);
    if (r == 0 && is_new)
        r = load_hearsay(roster, peer);
    if (r == 0) {
        set_row(roster, peer, &opened);
        peer->stored = true;
    }
    secret_wipe(opened.invite_secret, sizeof opened.invite_secret);
    return r;
}

int roster_load(struct roster *roster)
{
    roster_each (peer, roster)
        peer->stored = false;
    int r = peers_each(roster->runtime->db, load_row, roster);
    if (r < 0)
        return r;
    list_for_each_safe (node, &roster->list) {
        struct peer *peer = container_of(node, struct peer, node);
        if (!peer->stored)
            let_go(roster, peer);
    }
    return 0;
}

/* --- finding ---------------------------------------------------------------------------------- */

struct peer *roster_next(const struct roster *roster, const struct peer *peer)
{
    struct list *node = peer->node.next;
    return node == &roster->list ? NULL : container_of(node, struct peer, node);
}

struct peer *roster_first(const struct roster *roster)
{
    struct list *node = roster->list.next;
    return node == &roster->list ? NULL : container_of(node, struct peer, node);
}

struct peer *roster_by_name(const struct roster *roster, const char *name)
{
    const struct hash *table = &roster->by_name;
    for (struct hash_node *node = hash_first(table, name, strlen(name)); node != NULL;
         node = hash_next(table, node)) {
        struct peer *peer = container_of(node, struct peer, by_name);
        if (strcmp(peer->row.name, name) == 0)
            return peer;
    }
    return NULL;
}

struct peer *roster_by_key(const struct roster *roster, const struct fingerprint *fingerprint)
{
    const struct hash *table = &roster->by_key;
    for (struct hash_node *node = hash_first(table, fingerprint->bytes, PEER_KEY_SIZE);
         node != NULL; node = hash_next(table, node)) {
        struct peer *peer = container_of(node, struct peer, by_key);
        if (memcmp(peer->row.key, fingerprint->bytes, PEER_KEY_SIZE) == 0)
            return peer;
    }
    return NULL;
}

struct peer *roster_by_id(const struct roster *roster, int64_t id)
{
    const struct hash *table = &roster->by_id;
    for (struct hash_node *node = hash_first(table, &id, sizeof id); node != NULL;
         node = hash_next(table, node)) {
        struct peer *peer = container_of(node, struct peer, by_id);
        if (peer->row.id == id)
            return peer;
    }
    return NULL;
}

/* --- names ------------------------------------------------------------------------------------ */

int roster_check_name(const struct roster *roster, const char *name)
{
    if (!peer_name_valid(name))
        return NODE_BAD_NAME;
    return roster_by_name(roster, name) != NULL ? NODE_NAME_TAKEN : 0;
}

bool roster_name_suits(const struct roster *roster, const char *name)
{
    if (!peer_name_modest(name))
        return false;
    roster_each (peer, roster)
        if (peer_name_resembles(peer->row.name, name))
            return false;
    return true;
}

void roster_make_name(const struct fingerprint *key, char name[static PEER_NAME_MAX])
{
    enum { SHOWN = 8 };
    char digits[2 * SHOWN + 1];
    hex_encode(key->bytes, SHOWN, digits);
    snprintf(name, PEER_NAME_MAX, "peer-%s", digits);
}

bool roster_unnamed(const struct peer *peer)
{
    struct fingerprint key;
    char name[PEER_NAME_MAX];
    memcpy(key.bytes, peer->row.key, sizeof key.bytes);
    roster_make_name(&key, name);
    return peer_trust(peer) == PEER_TOFU && peer->row.address_count == 0 &&
           strcmp(peer->row.name, name) == 0;
}

/* --- changing --------------------------------------------------------------------------------- */

static int check_key(const struct roster *roster, const struct fingerprint *key)
{
    if (fingerprint_equal(key, runtime_fingerprint(roster->runtime)))
        return NODE_OWN_KEY;
    return roster_by_key(roster, key) != NULL ? NODE_KEY_TAKEN : 0;
}

static int add_trust_event(const struct roster *roster, const struct peer *peer)
{
    struct event_row event = {.type = EVENT_PEER_TRUST,
                              .time_ms = wall(roster),
                              .peer = peer->row.id,
                              .trust = peer_trust(peer)};
    return outcome_of_store(events_add(roster->runtime->db, &event));
}

static int note_trust(const struct roster *roster, const struct peer *peer)
{
    log_event(LOG_LEVEL_NOTICE, "peer-trust", peer->row.name, "trust is %s now",
              trust_name(peer_trust(peer)));
    return add_trust_event(roster, peer);
}

int roster_add(struct roster *roster, struct peer_row *row, struct peer **peer)
{
    struct fingerprint key;
    memcpy(key.bytes, row->key, sizeof key.bytes);
    int r = roster_check_name(roster, row->name);
    if (r == 0 && row->pinned)
        r = check_key(roster, &key);
    if (r != 0)
        return r;
    row->created_ms = wall(roster);
    r = peers_add(roster->runtime->db, row);
    if (r == 0)
        r = take_in(roster, row, peer);
    if (r != 0)
        return r == DB_EXISTS ? NODE_NAME_TAKEN : outcome_of_store(r);
    return row->trust != PEER_UNPINNED ? note_trust(roster, *peer) : 0;
}

int roster_adopt(struct roster *roster, const char *name, const struct fingerprint *key,
                 enum peer_trust trust, struct peer **peer)
{
    struct peer_row row = {.pinned = true, .trust = trust};
    memcpy(row.key, key->bytes, sizeof row.key);
    if (name == NULL)
        roster_make_name(key, row.name);
    else if (peer_name_valid(name))
        snprintf(row.name, sizeof row.name, "%s", name);
    return roster_add(roster, &row, peer);
}

/* Takes over a row that may have changed in anything. 0, DB_EXISTS, DB_FULL or -errno. */
static int replace(struct roster *roster, struct peer *peer, const struct peer_row *row)
{
    int r = peers_update(roster->runtime->db, row, wall(roster));
    if (r == 0)
        set_row(roster, peer, row);
    return r;
}

int roster_update(struct roster *roster, struct peer *peer, const struct peer_row *row)
{
    bool news = row->trust != peer->row.trust;
    struct peer_row used = *row;
    used.adopted = false;
    int r = replace(roster, peer, &used);
    if (r != 0)
        return r == DB_EXISTS ? NODE_NAME_TAKEN : outcome_of_store(r);
    return news ? note_trust(roster, peer) : 0;
}

/* Where the owner of the former key was, or said to be, says nothing of the new one's. */
static int forget_former_places(const struct roster *roster, struct peer *peer)
{
    hearsay_deinit(&peer->hearsay);
    int r = peers_set_told(roster->runtime->db, peer->row.id, NULL, 0, wall(roster));
    return r == 0 ? peer_forget_way(peer) : r;
}

int roster_pin(struct roster *roster, struct peer *peer, const struct fingerprint *key,
               enum peer_trust trust)
{
    char text[FINGERPRINT_TEXT_MAX];
    struct peer_row row = peer->row;
    bool replaced = row.pinned && memcmp(row.key, key->bytes, PEER_KEY_SIZE) != 0;
    row.pinned = true;
    row.offered = false;
    row.invited = false;
    row.trust = trust;
    if (memcmp(row.key, key->bytes, PEER_KEY_SIZE) != 0) { /* whoever had the former one */
        memset(row.instance, 0, sizeof row.instance);
        memset(row.instance_before, 0, sizeof row.instance_before);
    }
    memcpy(row.key, key->bytes, PEER_KEY_SIZE);
    int r = replace(roster, peer, &row);
    if (r == 0 && replaced)
        r = forget_former_places(roster, peer);
    if (r != 0)
        return r == DB_EXISTS ? NODE_KEY_TAKEN : outcome_of_store(r);
    fingerprint_format(key, text);
    log_event(LOG_LEVEL_NOTICE, "peer-trust", row.name, "pinned %s (%s)", text, trust_name(trust));
    return add_trust_event(roster, peer);
}

int roster_doubt(struct roster *roster, struct peer *peer, const struct fingerprint *key)
{
    struct peer_row row = peer->row;
    struct event_row event = {.type = EVENT_PEER_KEY_CHANGED,
                              .time_ms = wall(roster),
                              .peer = row.id,
                              .trust = PEER_CHANGED,
                              .offered = true};
    row.offered = true;
    memcpy(row.offered_key, key->bytes, PEER_KEY_SIZE);
    memcpy(event.offered_key, key->bytes, PEER_KEY_SIZE);
    int r = replace(roster, peer, &row);
    if (r == 0)
        r = events_add(roster->runtime->db, &event);
    return outcome_of_store(r);
}

int roster_note_features(struct roster *roster, struct peer *peer, uint32_t features, bool keep)
{
    features = features_lasting(features);
    if (peer->row.met && peer->row.features == features)
        return 0;
    int r = keep ? peers_set_features(roster->runtime->db, peer->row.id, features) : 0;
    if (r != 0)
        return outcome_of_store(r);
    peer->row.met = true;
    peer->row.features = features;
    return 0;
}

int roster_merge(struct roster *roster, struct peer *nameless, struct peer *keyless)
{
    struct peer_row row = nameless->row;
    memcpy(row.name, keyless->row.name, sizeof row.name);
    memcpy(row.addresses, keyless->row.addresses, sizeof row.addresses);
    row.address_count = keyless->row.address_count;
    row.require_pq = row.require_pq || keyless->row.require_pq;
    row.adopted = false;
    int r = served_merge(roster->runtime->db, keyless->row.id, nameless->row.id);
    if (r == 0)
        r = peers_remove(roster->runtime->db, keyless->row.id, wall(roster));
    if (r == 0)
        r = replace(roster, nameless, &row);
    if (r != 0)
        return outcome_of_store(r);
    peer_take_attempt(nameless, keyless);
    let_go(roster, keyless);
    return note_trust(roster, nameless);
}

int roster_remove(struct roster *roster, struct peer *peer)
{
    int r = peers_remove(roster->runtime->db, peer->row.id, wall(roster));
    if (r == 0)
        let_go(roster, peer);
    return outcome_of_store(r);
}

int roster_use(struct roster *roster, struct peer *peer)
{
    if (!peer->row.adopted)
        return 0;
    int r = peers_set_used(roster->runtime->db, peer->row.id);
    if (r == 0)
        set_adopted(roster, peer, false);
    return outcome_of_store(r);
}
