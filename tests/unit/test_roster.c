/* SPDX-License-Identifier: ISC */
/*
 * Tests core/roster over a real store: memory says what the store says, a name and a key are one
 * peer's, and what happens to trust is written down.
 */
#include "core/roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/features.h"
#include "store/events.h"
#include "unit/cmocka_all.h"
#include "unit/scratch_db.h"

enum { WALL_MS = 5000000, EVENTS_MAX = 16 };

/* --- stand-ins -------------------------------------------------------------------------------- */

static struct stage {
    struct scratch *scratch;
    struct runtime runtime;
    struct links links;
    struct roster roster;
    struct observer observer;
    unsigned abandoned, freed, gone, moved, forgotten;
    struct event_row events[EVENTS_MAX];
    unsigned event_count;
} stage;

static const struct fingerprint own_key = {{99}};

uint64_t loop_wall(const struct loop *loop)
{
    (void)loop;
    return WALL_MS;
}

const struct fingerprint *runtime_fingerprint(const struct runtime *runtime)
{
    (void)runtime;
    return &own_key;
}

int peer_new(struct peer **peer, const struct runtime *runtime, struct links *links,
             const struct peer_row *row)
{
    assert_ptr_equal(links, &stage.links);
    *peer = calloc(1, sizeof **peer);
    assert_non_null(*peer);
    (*peer)->runtime = runtime;
    (*peer)->row = *row;
    list_init(&(*peer)->node);
    hash_node_init(&(*peer)->by_key);
    hash_node_init(&(*peer)->by_name);
    hash_node_init(&(*peer)->by_id);
    return 0;
}

void peer_free(struct peer *peer)
{
    stage.freed++;
    list_remove(&peer->node);
    hearsay_deinit(&peer->hearsay);
    free(peer);
}

enum peer_trust peer_trust(const struct peer *peer)
{
    return peer->row.offered ? PEER_CHANGED : peer->row.trust;
}

void peer_take_attempt(struct peer *peer, struct peer *other)
{
    assert_ptr_not_equal(peer, other);
    stage.moved++;
}

int peer_forget_way(struct peer *peer)
{
    (void)peer;
    stage.forgotten++;
    return 0;
}

void links_abandon_peer(struct links *links, const struct peer *peer, enum close_code code)
{
    assert_ptr_equal(links, &stage.links);
    assert_true(peer->silenced);
    assert_int_equal(code, CLOSE_NORMAL);
    stage.abandoned++;
}

static void report_gone(void *context, const struct peer *peer)
{
    (void)context;
    assert_true(peer->seen_online);
    stage.gone++;
}

/* --- the stage -------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    memset(&stage, 0, sizeof stage);
    assert_int_equal(scratch_set_up(state), 0);
    stage.scratch = *state;
    stage.observer.presence = report_gone;
    stage.runtime.observer = &stage.observer;
    stage.runtime.db = stage.scratch->db;
    roster_init(&stage.roster, &stage.runtime, &stage.links);
    return 0;
}

static int tear_down(void **state)
{
    roster_deinit(&stage.roster);
    return scratch_tear_down(state);
}

/* What was not committed is gone, as when the disk was full at the end of the turn. */
static void undo_turn(void)
{
    scratch_reopen(stage.scratch);
    stage.runtime.db = stage.scratch->db;
    assert_int_equal(roster_load(&stage.roster), 0);
}

static struct fingerprint key_of(uint8_t n)
{
    return (struct fingerprint){{n}};
}

static struct peer *adopt(const char *name, uint8_t key)
{
    struct peer *peer = NULL;
    assert_int_equal(
        roster_adopt(&stage.roster, name, &(struct fingerprint){{key}}, PEER_TOFU, &peer), 0);
    return peer;
}

static struct peer *add_keyless(const char *name)
{
    struct peer_row row = {.trust = PEER_UNPINNED, .address_count = 1};
    struct peer *peer = NULL;
    snprintf(row.name, sizeof row.name, "%s", name);
    assert_int_equal(address_parse("there:8766", &row.addresses[0]), 0);
    assert_int_equal(roster_add(&stage.roster, &row, &peer), 0);
    return peer;
}

static int note_event(void *context, const struct event_row *event)
{
    (void)context;
    assert_true(stage.event_count < EVENTS_MAX);
    stage.events[stage.event_count++] = *event;
    return 0;
}

/* Reads the events that there are. */
static unsigned read_events(void)
{
    stage.event_count = 0;
    scratch_commit(stage.scratch);
    assert_int_equal(events_each(stage.scratch->db, 0, note_event, NULL), 0);
    return stage.event_count;
}

static void assert_event(const struct event_row *event, enum event_type type, int64_t peer,
                         enum peer_trust trust)
{
    assert_int_equal(event->type, type);
    assert_int_equal(event->peer, peer);
    assert_int_equal(event->trust, trust);
    assert_int_equal(event->time_ms, WALL_MS);
}

/* --- memory and store ------------------------------------------------------------------------- */

static void test_what_was_stored_is_found_again(void **state)
{
    const struct address told[1] = {{.host = "203.0.113.5", .port = 8766}};
    const struct fingerprint key = {{1}};
    struct peer *bob = adopt("bob", 1);
    const int64_t id = bob->row.id;
    (void)state;
    adopt("carol", 2);
    assert_int_equal(peers_set_told(stage.scratch->db, id, told, 1, WALL_MS - 1), 0);
    scratch_commit(stage.scratch);
    roster_deinit(&stage.roster);
    roster_init(&stage.roster, &stage.runtime, &stage.links);
    assert_int_equal(roster_load(&stage.roster), 0);
    assert_int_equal(stage.roster.count, 2);
    bob = roster_by_name(&stage.roster, "bob");
    assert_non_null(bob);
    assert_ptr_equal(roster_by_key(&stage.roster, &key), bob);
    assert_ptr_equal(roster_by_id(&stage.roster, id), bob);
    assert_ptr_equal(roster_first(&stage.roster), bob);
    assert_int_equal(bob->row.created_ms, WALL_MS);
    assert_int_equal(bob->hearsay.count, 1);
    assert_int_equal(bob->hearsay.stored_ms, WALL_MS - 1);
    assert_string_equal(roster_next(&stage.roster, bob)->row.name, "carol");
    assert_null(roster_next(&stage.roster, roster_next(&stage.roster, bob)));
}

static void test_an_undone_turn_is_undone_in_memory(void **state)
{
    const struct fingerprint old = {{1}}, new = {{3}}, gone = {{4}};
    struct peer *dave = adopt("dave", 4), *bob = adopt("bob", 1);
    struct peer_row row = bob->row;
    (void)state;
    scratch_commit(stage.scratch);
    snprintf(row.name, sizeof row.name, "robert");
    assert_int_equal(roster_update(&stage.roster, bob, &row), 0);
    assert_int_equal(roster_pin(&stage.roster, bob, &new, PEER_VERIFIED), 0);
    adopt("carol", 2);
    assert_int_equal(roster_remove(&stage.roster, dave), 0);
    stage.freed = 0;
    undo_turn();
    assert_ptr_equal(roster_by_name(&stage.roster, "bob"), bob);
    assert_null(roster_by_name(&stage.roster, "robert"));
    assert_ptr_equal(roster_by_key(&stage.roster, &old), bob);
    assert_null(roster_by_key(&stage.roster, &new));
    assert_int_equal(bob->row.trust, PEER_TOFU);
    assert_null(roster_by_name(&stage.roster, "carol"));
    assert_int_equal(stage.freed, 1);
    assert_ptr_equal(roster_by_key(&stage.roster, &gone), roster_first(&stage.roster));
    assert_int_equal(stage.roster.count, 2);
}

static struct peer *come(uint8_t digit)
{
    struct peer_row row = {.pinned = true, .trust = PEER_TOFU, .adopted = true, .key = {digit}};
    struct peer *peer;
    snprintf(row.name, sizeof row.name, "peer%u", digit);
    assert_int_equal(roster_add(&stage.roster, &row, &peer), 0);
    return peer;
}

static void test_those_that_came_by_themselves_are_counted(void **state)
{
    struct peer *used = come(1), *renamed = come(2), *met = come(3), *gone = come(4), *keyless;
    struct peer_row row = {.name = "erin"};
    (void)state;
    come(5);
    assert_int_equal(roster_add(&stage.roster, &row, &keyless), 0);
    scratch_commit(stage.scratch);
    assert_int_equal(roster_use(&stage.roster, used), 0);
    assert_int_equal(stage.roster.adopted, 4);
    row = renamed->row;
    snprintf(row.name, sizeof row.name, "carol");
    assert_int_equal(roster_update(&stage.roster, renamed, &row), 0);
    assert_int_equal(roster_merge(&stage.roster, met, keyless), 0);
    assert_int_equal(stage.roster.adopted, 2);
    assert_int_equal(roster_remove(&stage.roster, gone), 0);
    assert_int_equal(stage.roster.adopted, 1);
    undo_turn();
    assert_int_equal(stage.roster.adopted, 5);
}

/* --- names and keys --------------------------------------------------------------------------- */

static void test_a_name_is_one_peer_s(void **state)
{
    struct peer_row row;
    struct peer *bob = adopt("bob", 1), *carol = adopt("carol", 2), *peer;
    (void)state;
    assert_int_equal(roster_check_name(&stage.roster, "bob"), NODE_NAME_TAKEN);
    assert_int_equal(roster_check_name(&stage.roster, "a b"), NODE_BAD_NAME);
    assert_int_equal(roster_check_name(&stage.roster, "bobby"), 0);
    row = (struct peer_row){.name = "bob"};
    assert_int_equal(roster_add(&stage.roster, &row, &peer), NODE_NAME_TAKEN);
    row = (struct peer_row){.name = "a b"};
    assert_int_equal(roster_add(&stage.roster, &row, &peer), NODE_BAD_NAME);
    row = carol->row;
    memcpy(row.name, "bob", 4);
    assert_int_equal(roster_update(&stage.roster, carol, &row), NODE_NAME_TAKEN);
    assert_string_equal(carol->row.name, "carol");
    assert_ptr_equal(roster_by_name(&stage.roster, "bob"), bob);
}

static void test_a_key_is_one_peer_s_and_not_ours(void **state)
{
    struct peer *bob = adopt("bob", 1), *carol = add_keyless("carol"), *peer;
    const struct fingerprint taken = key_of(1);
    (void)state;
    assert_int_equal(roster_adopt(&stage.roster, "eve", &taken, PEER_TOFU, &peer), NODE_KEY_TAKEN);
    assert_int_equal(roster_adopt(&stage.roster, "me", &own_key, PEER_TOFU, &peer), NODE_OWN_KEY);
    assert_null(roster_by_key(&stage.roster, &(struct fingerprint){{0}}));
    assert_int_equal(roster_pin(&stage.roster, carol, &taken, PEER_TOFU), NODE_KEY_TAKEN);
    assert_false(carol->row.pinned);
    assert_ptr_equal(roster_by_key(&stage.roster, &taken), bob);
    assert_int_equal(stage.roster.count, 2);
}

static void test_a_suggested_name_looks_like_nobody_s(void **state)
{
    (void)state;
    adopt("bob", 1);
    adopt("carol", 2);
    assert_false(roster_name_suits(&stage.roster, "b0b"));
    assert_false(roster_name_suits(&stage.roster, "c.arol"));
    assert_false(roster_name_suits(&stage.roster, "d\xc3\xa4ve"));
    assert_true(roster_name_suits(&stage.roster, "dave"));
}

static void test_who_has_no_name_is_called_by_its_key(void **state)
{
    struct peer *peer = adopt(NULL, 0xab);
    (void)state;
    assert_string_equal(peer->row.name, "peer-ab00000000000000");
    assert_true(roster_unnamed(peer));
    assert_false(roster_unnamed(adopt("bob", 1)));
    peer->row.address_count = 1;
    assert_false(roster_unnamed(peer));
    peer->row.address_count = 0;
    peer->row.trust = PEER_VERIFIED;
    assert_false(roster_unnamed(peer));
}

static void test_a_bad_name_is_not_adopted(void **state)
{
    const struct fingerprint key = key_of(1);
    char longer[PEER_NAME_MAX + 4] = "";
    struct peer *peer;
    (void)state;
    for (unsigned i = 0; i <= PEER_NAME_CHARACTERS; i++)
        memcpy(longer + 4 * i, "\xf0\x9f\x90\x84", 5); /* one too many, not the first ones */
    assert_int_equal(roster_adopt(&stage.roster, longer, &key, PEER_TOFU, &peer), NODE_BAD_NAME);
    assert_int_equal(roster_adopt(&stage.roster, "a b", &key, PEER_TOFU, &peer), NODE_BAD_NAME);
    assert_int_equal(stage.roster.count, 0);
}

/* --- trust ------------------------------------------------------------------------------------ */

static void test_a_change_of_trust_is_an_event(void **state)
{
    struct peer *bob = adopt("bob", 1), *carol = add_keyless("carol");
    struct peer_row row = bob->row;
    const struct fingerprint key = key_of(2);
    (void)state;
    memcpy(row.name, "rob", 4);
    assert_int_equal(roster_update(&stage.roster, bob, &row), 0);
    row.trust = PEER_BLOCKED;
    assert_int_equal(roster_update(&stage.roster, bob, &row), 0);
    assert_int_equal(roster_pin(&stage.roster, carol, &key, PEER_VERIFIED), 0);
    assert_int_equal(read_events(), 3); /* none of carol, who had no key, and none of the name */
    assert_event(&stage.events[0], EVENT_PEER_TRUST, bob->row.id, PEER_TOFU);
    assert_event(&stage.events[1], EVENT_PEER_TRUST, bob->row.id, PEER_BLOCKED);
    assert_event(&stage.events[2], EVENT_PEER_TRUST, carol->row.id, PEER_VERIFIED);
}

static void test_a_key_ends_doubt_and_invite(void **state)
{
    struct peer *carol = add_keyless("carol");
    const struct fingerprint key = key_of(2);
    (void)state;
    carol->row.offered = carol->row.invited = true;
    assert_int_equal(roster_pin(&stage.roster, carol, &key, PEER_TOFU), 0);
    assert_true(carol->row.pinned);
    assert_false(carol->row.offered || carol->row.invited);
    assert_memory_equal(carol->row.key, key.bytes, PEER_KEY_SIZE);
    assert_ptr_equal(roster_by_key(&stage.roster, &key), carol);
}

static void test_another_key_is_not_looked_for_where_the_former_one_was(void **state)
{
    const struct address told[1] = {{.host = "203.0.113.5", .port = 8766}};
    const struct fingerprint key = key_of(1), other = key_of(2);
    struct address stored[PEER_TOLD_MAX];
    uint64_t time_ms;
    struct peer *bob = adopt("bob", 1);
    (void)state;
    assert_int_equal(peers_set_told(stage.scratch->db, bob->row.id, told, 1, WALL_MS), 0);
    assert_int_equal(hearsay_take(&bob->hearsay, told, 1, WALL_MS), 1);
    assert_int_equal(roster_pin(&stage.roster, bob, &key, PEER_VERIFIED), 0);
    assert_int_equal(bob->hearsay.count, 1); /* it is the same one */
    assert_int_equal(stage.forgotten, 0);
    assert_int_equal(roster_pin(&stage.roster, bob, &other, PEER_TOFU), 0);
    assert_int_equal(bob->hearsay.count, 0);
    assert_int_equal(stage.forgotten, 1);
    assert_int_equal(peers_get_told(stage.scratch->db, bob->row.id, stored, &time_ms), 0);
}

static void test_doubt_keeps_the_key_and_is_an_event(void **state)
{
    const struct fingerprint key = key_of(1), other = key_of(7);
    struct peer *bob = adopt("bob", 1);
    (void)state;
    assert_int_equal(roster_doubt(&stage.roster, bob, &other), 0);
    assert_true(bob->row.offered);
    assert_memory_equal(bob->row.offered_key, other.bytes, PEER_KEY_SIZE);
    assert_ptr_equal(roster_by_key(&stage.roster, &key), bob);
    assert_null(roster_by_key(&stage.roster, &other));
    assert_int_equal(read_events(), 2);
    assert_event(&stage.events[1], EVENT_PEER_KEY_CHANGED, bob->row.id, PEER_CHANGED);
    assert_memory_equal(stage.events[1].offered_key, other.bytes, PEER_KEY_SIZE);
}

/* --- features --------------------------------------------------------------------------------- */

static void test_features_are_remembered_and_stored_if_there_is_room(void **state)
{
    struct peer *bob = adopt("bob", 1);
    (void)state;
    scratch_commit(stage.scratch);
    assert_int_equal(roster_note_features(&stage.roster, bob, FEATURE_HEADERS, false), 0);
    assert_true(bob->row.met && bob->row.features == FEATURE_HEADERS);
    assert_false(db_dirty(stage.scratch->db));
    assert_int_equal(roster_note_features(&stage.roster, bob, FEATURE_STREAMS, true), 0);
    assert_true(db_dirty(stage.scratch->db));
    scratch_commit(stage.scratch);
    assert_int_equal(roster_note_features(&stage.roster, bob, FEATURE_STREAMS, true), 0);
    assert_false(db_dirty(stage.scratch->db)); /* that is no news */
    assert_int_equal(
        roster_note_features(&stage.roster, bob, FEATURE_STREAMS | FEATURE_PATH_INDIRECT, true), 0);
    assert_false(db_dirty(stage.scratch->db)); /* nor does it say anything of the peer */
    undo_turn();
    assert_int_equal(bob->row.features, FEATURE_STREAMS);
}

static void test_to_be_met_without_features_is_news(void **state)
{
    struct peer *bob = adopt("bob", 1);
    (void)state;
    scratch_commit(stage.scratch);
    assert_int_equal(roster_note_features(&stage.roster, bob, 0, true), 0);
    assert_true(bob->row.met && db_dirty(stage.scratch->db));
}

/* --- the end of a peer ------------------------------------------------------------------------ */

static void test_two_that_are_one(void **state)
{
    const struct fingerprint key = key_of(1);
    struct peer *nameless = adopt(NULL, 1), *keyless = add_keyless("carol");
    const int64_t id = nameless->row.id;
    (void)state;
    keyless->row.require_pq = true;
    assert_int_equal(roster_merge(&stage.roster, nameless, keyless), 0);
    assert_int_equal(stage.roster.count, 1);
    assert_int_equal(stage.freed, 1);
    assert_int_equal(stage.moved, 1);
    assert_ptr_equal(roster_by_name(&stage.roster, "carol"), nameless);
    assert_ptr_equal(roster_by_key(&stage.roster, &key), nameless);
    assert_int_equal(nameless->row.id, id);
    assert_int_equal(nameless->row.address_count, 1);
    assert_true(nameless->row.require_pq);
    assert_int_equal(read_events(), 2);
    assert_event(&stage.events[1], EVENT_PEER_TRUST, id, PEER_TOFU);
    undo_turn();
    assert_ptr_equal(roster_by_name(&stage.roster, "carol"), nameless);
    assert_int_equal(nameless->row.address_count, 1);
    assert_true(nameless->row.require_pq);
}

static void test_a_removed_peer_leaves_its_name_and_key_to_others(void **state)
{
    const struct fingerprint key = key_of(1);
    struct peer *bob = adopt("bob", 1);
    (void)state;
    assert_int_equal(roster_remove(&stage.roster, bob), 0);
    assert_int_equal(stage.abandoned, 1);
    assert_int_equal(stage.freed, 1);
    assert_int_equal(stage.gone, 0); /* nobody was told that it is here */
    assert_null(roster_by_key(&stage.roster, &key));
    bob = adopt("bob", 1);
    bob->seen_online = true;
    assert_int_equal(roster_remove(&stage.roster, bob), 0);
    assert_int_equal(stage.gone, 1);
    undo_turn();
    assert_int_equal(stage.roster.count, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_stored_is_found_again),
        TEST(test_an_undone_turn_is_undone_in_memory),
        TEST(test_those_that_came_by_themselves_are_counted),
        TEST(test_a_name_is_one_peer_s),
        TEST(test_a_key_is_one_peer_s_and_not_ours),
        TEST(test_a_suggested_name_looks_like_nobody_s),
        TEST(test_who_has_no_name_is_called_by_its_key),
        TEST(test_a_bad_name_is_not_adopted),
        TEST(test_a_change_of_trust_is_an_event),
        TEST(test_a_key_ends_doubt_and_invite),
        TEST(test_another_key_is_not_looked_for_where_the_former_one_was),
        TEST(test_doubt_keeps_the_key_and_is_an_event),
        TEST(test_features_are_remembered_and_stored_if_there_is_room),
        TEST(test_to_be_met_without_features_is_news),
        TEST(test_two_that_are_one),
        TEST(test_a_removed_peer_leaves_its_name_and_key_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
