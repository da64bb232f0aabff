/* SPDX-License-Identifier: ISC */
/*
 * A node of which only the peers are there.
 */
#include "unit/node_peers_rig.h"

#include <stdio.h>
#include <string.h>

#include "unit/cmocka_all.h"

struct stage stage;

/* --- stand-ins -------------------------------------------------------------------------------- */

struct peer *const bob = &stage.peers[0], *const carol = &stage.peers[1];

bool has_key(const struct peer *peer, const struct fingerprint *key)
{
    return peer->row.pinned && memcmp(peer->row.key, key->bytes, PEER_KEY_SIZE) == 0;
}

struct peer *roster_by_key(const struct roster *roster, const struct fingerprint *key)
{
    for (unsigned i = 0; i < roster->count; i++)
        if (has_key(&stage.peers[i], key))
            return &stage.peers[i];
    return NULL;
}

struct peer *roster_by_name(const struct roster *roster, const char *name)
{
    for (unsigned i = 0; i < roster->count; i++)
        if (strcmp(stage.peers[i].row.name, name) == 0)
            return &stage.peers[i];
    return NULL;
}

struct peer *roster_first(const struct roster *roster)
{
    return roster->count > 0 ? bob : NULL;
}

int roster_add(struct roster *roster, struct peer_row *row, struct peer **peer)
{
    (void)roster;
    *peer = &stage.made;
    stage.made.row = *row;
    return stage.error;
}

int roster_adopt(struct roster *roster, const char *name, const struct fingerprint *key,
                 enum peer_trust trust, struct peer **peer)
{
    (void)roster;
    *peer = &stage.made;
    stage.made.row = (struct peer_row){.trust = trust, .pinned = true};
    memcpy(stage.made.row.key, key->bytes, PEER_KEY_SIZE);
    snprintf(stage.made.row.name, PEER_NAME_MAX, "%s", name != NULL ? name : "");
    stage.adopted += stage.error == 0;
    return stage.error;
}

int roster_check_name(const struct roster *roster, const char *name)
{
    return roster_by_name(roster, name) != NULL ? NODE_NAME_TAKEN : 0;
}

int roster_update(struct roster *roster, struct peer *peer, const struct peer_row *row)
{
    (void)roster;
    if (stage.error != 0)
        return stage.error;
    peer->row = *row;
    stage.updated++;
    return 0;
}

int roster_pin(struct roster *roster, struct peer *peer, const struct fingerprint *key,
               enum peer_trust trust)
{
    (void)roster;
    if (stage.error != 0)
        return stage.error;
    memcpy(peer->row.key, key->bytes, PEER_KEY_SIZE);
    peer->row.trust = trust;
    stage.pinned++;
    return 0;
}

int roster_use(struct roster *roster, struct peer *peer)
{
    (void)roster;
    peer->row.adopted = false;
    return stage.error;
}

int roster_remove(struct roster *roster, struct peer *peer)
{
    (void)roster, (void)peer;
    stage.removed += stage.error == 0;
    return stage.error;
}

int calls_drop(struct calls *calls, int64_t peer)
{
    (void)calls;
    assert_int_equal(peer, bob->row.id);
    stage.dropped++;
    return stage.calls_error;
}

void files_touch(struct files *files)
{
    (void)files;
    stage.looked++;
}

int removal_add(struct removal *removal, int64_t peer)
{
    (void)removal;
    assert_int_equal(peer, bob->row.id);
    return stage.removal_error;
}

int peers_find_removed(struct db *db, const char *name, const uint8_t *key, int64_t *id)
{
    (void)db, (void)name;
    *id = key != NULL ? 40 + key[0] : 40;
    return stage.past_error;
}

void admission_grant(struct admission *admission, struct peer *peer)
{
    assert_ptr_equal(admission, &stage.node.admission);
    assert_non_null(peer);
    stage.granted++;
}

unsigned exchange_suites(void)
{
    return SUITE_BIT(SUITE_CLASSIC) | (stage.hybrid ? SUITE_BIT(SUITE_HYBRID) : 0);
}

int safety_number_compare(const struct fingerprint *own, const struct fingerprint *peer,
                          const char *number)
{
    (void)number;
    assert_int_equal(own->bytes[0], OWN);
    assert_int_equal(peer->bytes[0], 1);
    return stage.number;
}

const struct fingerprint *runtime_fingerprint(const struct runtime *runtime)
{
    static const struct fingerprint own = {{OWN}};
    (void)runtime;
    return &own;
}

void peer_dial(struct peer *peer)
{
    (void)peer;
    stage.dials++;
}

void peer_dial_at_once(struct peer *peer)
{
    (void)peer;
    stage.at_once++;
}

void peer_stop_dialling(struct peer *peer)
{
    (void)peer;
    stage.stopped++;
}

void peer_forget_attempts(struct peer *peer)
{
    (void)peer;
    stage.forgotten++;
}

int peer_forget_way(struct peer *peer)
{
    (void)peer;
    return stage.way_error;
}

bool link_open(const struct link *link)
{
    assert_ptr_equal(link, &stage.link);
    return !stage.offline;
}

void link_close(struct link *link, enum close_code code)
{
    assert_ptr_equal(link, &stage.link);
    stage.closed++;
    stage.code = code;
}

void link_touch(struct link *link)
{
    link->dirty = true;
}

enum suite session_suite(const struct session *session)
{
    return session->suite;
}

bool session_ping(struct session *session, uint64_t token, uint64_t now_ms)
{
    assert_true(token == now_ms && now_ms == fake_loop.now_ms);
    return !session->pinged_lately;
}

/* --- the stage -------------------------------------------------------------------------------- */

int node_stage_set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(1000000, 0);
    stage.node.roster.count = PEERS;
    stage.hybrid = true;
    stage.session.suite = SUITE_CLASSIC;
    stage.link.session = &stage.session;
    pending_keys_init(&stage.node.pending_keys);
    bob->row =
        (struct peer_row){.id = 11, .name = "bob", .trust = PEER_TOFU, .pinned = true, .key = {1}};
    carol->row = (struct peer_row){
        .id = 12, .name = "carol", .trust = PEER_TOFU, .pinned = true, .key = {2}};
    return 0;
}

int node_stage_tear_down(void **state)
{
    (void)state;
    pending_keys_deinit(&stage.node.pending_keys);
    return 0;
}

struct fingerprint key_of(uint8_t first)
{
    return (struct fingerprint){{first}};
}

void ask(uint8_t first, struct link *link)
{
    const struct fingerprint key = key_of(first);
    assert_non_null(pending_keys_add(&stage.node.pending_keys, &key, "there", link, 1));
}

void assert_closed(enum close_code code)
{
    assert_int_equal(stage.closed, 1);
    assert_int_equal(stage.code, code);
}

void name_default(const char *name)
{
    snprintf(stage.node.runtime.settings.default_peer, PEER_NAME_MAX, "%s", name);
}
