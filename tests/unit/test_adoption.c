/* SPDX-License-Identifier: ISC */
/*
 * Tests core/adoption over a played roster: how many may come by themselves.
 */
#include "core/adoption.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "unit/cmocka_all.h"

enum { PEERS_MAX = 8, LIMIT = 3 };

/* --- the roster, the store and the clock ------------------------------------------------------ */

static struct stage {
    struct runtime runtime;
    struct roster roster;
    struct adoption adoption;
    struct peer peers[PEERS_MAX];
    unsigned count;
    uint64_t now_ms;
    unsigned warnings;
} stage;

uint64_t loop_now(const struct loop *loop)
{
    (void)loop;
    return stage.now_ms;
}

void roster_make_name(const struct fingerprint *key, char name[static PEER_NAME_MAX])
{
    snprintf(name, PEER_NAME_MAX, "peer-%02x", key->bytes[0]);
}

int roster_add(struct roster *roster, struct peer_row *row, struct peer **peer)
{
    row->id = stage.count;
    *peer = &stage.peers[stage.count++];
    **peer = (struct peer){.row = *row};
    roster->adopted += row->adopted;
    return 0;
}

/* --- the tests -------------------------------------------------------------------------------- */

static void count_warnings(const struct log_entry *entry)
{
    stage.warnings += entry->level == LOG_LEVEL_WARNING;
}

static int set_up(void **state)
{
    (void)state;
    stage = (struct stage){.runtime = {.settings = {.unknown_peers_limit = LIMIT}}};
    stage.adoption = (struct adoption){.runtime = &stage.runtime, .roster = &stage.roster};
    log_set_sink(count_warnings);
    return 0;
}

static struct peer *adopt(uint8_t key)
{
    struct peer *peer;
    assert_true(adoption_has_place(&stage.adoption));
    assert_int_equal(adoption_take(&stage.adoption, &(struct fingerprint){{key}}, &peer), 0);
    return peer;
}

static void test_a_key_becomes_a_peer_that_is_known_to_have_come_by_itself(void **state)
{
    (void)state;
    const struct peer *peer = adopt(7);
    assert_true(peer->row.adopted && peer->row.pinned);
    assert_int_equal(peer->row.trust, PEER_TOFU);
    assert_int_equal(peer->row.key[0], 7);
    assert_string_equal(peer->row.name, "peer-07");
}

static void test_one_that_is_used_does_not_count(void **state)
{
    (void)state;
    for (uint8_t key = 0; key < LIMIT; key++)
        adopt(key);
    assert_false(adoption_has_place(&stage.adoption));
    stage.roster.adopted--;
    adopt(LIMIT);
    assert_false(adoption_has_place(&stage.adoption));
}

static void test_with_all_places_taken_nobody_comes_and_people_are_told_once_an_hour(void **state)
{
    (void)state;
    for (uint8_t key = 0; key < LIMIT; key++)
        adopt(key);
    for (unsigned i = 0; i < 10; i++)
        assert_false(adoption_has_place(&stage.adoption));
    assert_int_equal(stage.warnings, 1);
    stage.now_ms += ADOPTION_TELL_MS;
    assert_false(adoption_has_place(&stage.adoption));
    assert_int_equal(stage.warnings, 2);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_key_becomes_a_peer_that_is_known_to_have_come_by_itself),
        TEST(test_one_that_is_used_does_not_count),
        TEST(test_with_all_places_taken_nobody_comes_and_people_are_told_once_an_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
