/* SPDX-License-Identifier: ISC */
/*
 * Tests core/quota over a real store: when a peer is beyond its share of the disk, and when it
 * comes back.
 */
#include "core/quota.h"

#include <string.h>

#include "core/peer.h"
#include "store/footprint.h"
#include "store/inbound.h"
#include "store/retention.h"
#include "unit/cmocka_all.h"
#include "unit/scratch_db.h"

enum { NOW_MS = 5000000, SOME = 32 };

static struct {
    struct scratch *scratch;
    struct runtime runtime;
    struct quota quota;
    struct link link;
    struct peer peer;
    uint64_t held_ms;       /* how long the link is not to be read from */
    enum close_code closed; /* why we closed the link; CLOSE_NORMAL while we did not */
    unsigned dials;
} stage;

/* --- stand-ins -------------------------------------------------------------------------------- */

void link_hold(struct link *link, uint64_t ms)
{
    link->held_until_ms = NOW_MS + ms;
    stage.held_ms = ms;
}

void link_close(struct link *link, enum close_code code)
{
    (void)link;
    stage.closed = code;
}

void peer_dial_at_once(struct peer *peer)
{
    (void)peer;
    stage.dials++;
}

/* --- the stage -------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    memset(&stage, 0, sizeof stage);
    assert_int_equal(scratch_set_up(state), 0);
    stage.scratch = *state;
    stage.runtime.db = stage.scratch->db;
    stage.runtime.settings.inbound_limit = stage.runtime.settings.inbound_total = UINT64_MAX;
    quota_init(&stage.quota, &stage.runtime);
    stage.peer.row = scratch_peer(stage.scratch, "bob");
    list_init(&stage.peer.full);
    stage.link.peer = &stage.peer;
    stage.peer.link = &stage.link;
    return 0;
}

/* What a message of store() takes. */
static uint64_t size_of_one(void)
{
    return footprint_of(scratch_message(0, MESSAGE_IN, 100).text_size);
}

/* Stores so many messages of a peer. */
static void store(int64_t peer, unsigned count)
{
    static unsigned last = 100;
    for (unsigned n = 0; n < count; n++)
        scratch_add(stage.scratch, peer, MESSAGE_IN, ++last);
}

static void purge(void)
{
    unsigned removed;
    assert_int_equal(retention_purge(stage.scratch->db, 0, 0, NOW_MS, &removed), 0);
    assert_int_equal(removed, SOME);
}

/* The peer runs into its limit of SOME messages. */
static void fill_up(void)
{
    stage.runtime.settings.inbound_limit = SOME * size_of_one();
    store(stage.peer.row.id, SOME - 1);
    assert_true(quota_admits(&stage.quota, &stage.link));
    store(stage.peer.row.id, 1);
    assert_false(quota_admits(&stage.quota, &stage.link));
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_a_peer_is_not_read_from_beyond_its_share(void **state)
{
    (void)state;
    fill_up();
    assert_int_equal(stage.held_ms, QUOTA_HOLD_MS);
    assert_true(peer_full(&stage.peer));
    assert_false(quota_spent(&stage.quota));
    quota_turn(&stage.quota);
    assert_true(peer_full(&stage.peer));
    assert_int_equal(stage.closed, CLOSE_NORMAL);
}

static void test_all_peers_have_a_share_together(void **state)
{
    const int64_t carol = scratch_peer(*state, "carol").id;
    stage.runtime.settings.inbound_total = SOME * size_of_one();
    store(carol, SOME);
    assert_false(quota_admits(&stage.quota, &stage.link));
    assert_true(peer_full(&stage.peer));
    assert_true(quota_spent(&stage.quota));
    assert_int_equal(stage.held_ms, QUOTA_HOLD_MS);
}

static void test_with_room_again_it_comes_back_at_once(void **state)
{
    (void)state;
    fill_up();
    purge();
    quota_turn(&stage.quota);
    assert_false(peer_full(&stage.peer));
    assert_int_equal(stage.closed, CLOSE_GOING_AWAY);
    assert_true(quota_admits(&stage.quota, &stage.link));
}

static void test_one_without_a_link_is_dialled_when_there_is_room_again(void **state)
{
    (void)state;
    fill_up();
    stage.peer.link = NULL;
    stage.runtime.settings.inbound_limit++; /* not worth a call */
    quota_turn(&stage.quota);
    assert_int_equal(stage.dials, 0);
    stage.runtime.settings.inbound_limit *= 2;
    quota_turn(&stage.quota);
    assert_int_equal(stage.dials, 1);
    assert_false(peer_full(&stage.peer));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_peer_is_not_read_from_beyond_its_share),
        TEST(test_all_peers_have_a_share_together),
        TEST(test_with_room_again_it_comes_back_at_once),
        TEST(test_one_without_a_link_is_dialled_when_there_is_room_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
