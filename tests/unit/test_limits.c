/* SPDX-License-Identifier: ISC */
/*
 * Tests core/limits: what strangers may cost, and that one can't use up what is for all.
 */
#include "core/limits.h"

#include "base/bytes.h"
#include "unit/cmocka_all.h"

enum { START_MS = 1000000 };

static struct limits limits;

static int start(void **state)
{
    (void)state;
    limits_init(&limits, START_MS);
    return 0;
}

static struct origin origin_of(uint32_t number)
{
    struct origin origin = {.text = "somewhere"};
    put_u32(origin.key, number);
    return origin;
}

/* How many of `tries` handshakes are served now. */
static unsigned greet(uint32_t number, unsigned tries, uint64_t now_ms)
{
    struct origin origin = origin_of(number);
    unsigned served = 0;
    while (tries-- > 0)
        served += limits_hello(&limits, &origin, now_ms);
    return served;
}

static void test_one_origin_gets_its_burst_and_then_its_rate(void **state)
{
    (void)state;
    assert_int_equal(greet(1, 1000, START_MS), LIMITS_ORIGIN_HELLOS_BURST);
    assert_int_equal(greet(1, 1000, START_MS + 1000), LIMITS_ORIGIN_HELLOS_PER_S);
}

static void test_one_flooder_leaves_the_common_budget_to_others(void **state)
{
    (void)state;
    greet(1, 100000, START_MS);
    assert_int_equal(greet(2, 1000, START_MS), LIMITS_ORIGIN_HELLOS_BURST);
}

static void test_all_origins_share_one_budget(void **state)
{
    unsigned served = 0;
    (void)state;
    for (uint32_t number = 1; number <= 200; number++)
        served += greet(number, 10, START_MS);
    assert_int_equal(served, LIMITS_HELLOS_BURST);
}

/* A flooder with many addresses must not get its budget anew by making us forget one of them. */
static void test_the_origin_seen_longest_ago_is_forgotten(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < LIMITS_ORIGINS_REMEMBERED; number++)
        greet(number, LIMITS_ORIGIN_HELLOS_BURST, START_MS + number);
    greet(1000000, 1, START_MS + LIMITS_ORIGINS_REMEMBERED);
    assert_int_equal(limits.origin_count, LIMITS_ORIGINS_REMEMBERED);
    /* Half a second after it was emptied: half of its rate, so it was not forgotten. */
    limits.hellos.milli_tokens = 1000 * LIMITS_HELLOS_BURST;
    unsigned newest = LIMITS_ORIGINS_REMEMBERED - 1;
    assert_int_equal(greet(newest, 100, START_MS + newest + 500), LIMITS_ORIGIN_HELLOS_PER_S / 2);
    /* The first one was, and starts anew. */
    limits.hellos.milli_tokens = 1000 * LIMITS_HELLOS_BURST;
    assert_int_equal(greet(0, 100, START_MS + LIMITS_ORIGINS_REMEMBERED),
                     LIMITS_ORIGIN_HELLOS_BURST);
}

static unsigned use_keys(bool (*ask)(struct limits *limits, uint64_t now_ms), uint64_t now_ms)
{
    unsigned allowed = 0;
    while (allowed < 1000 && ask(&limits, now_ms))
        allowed++;
    return allowed;
}

static void test_strangers_use_our_key_at_their_rate(void **state)
{
    (void)state;
    assert_int_equal(use_keys(limits_stranger_key, START_MS), LIMITS_STRANGER_KEYS_BURST);
    assert_int_equal(use_keys(limits_stranger_key, START_MS + 2000),
                     2 * LIMITS_STRANGER_KEYS_PER_S);
}

static void test_strangers_leave_the_share_of_the_invited(void **state)
{
    (void)state;
    use_keys(limits_stranger_key, START_MS);
    assert_int_equal(use_keys(limits_invited_key, START_MS), LIMITS_PEER_KEYS_BURST);
}

static void use_up_the_common_budget(uint64_t now_ms)
{
    for (uint32_t i = 0; i < LIMITS_HELLOS_BURST; i++)
        greet(1000 + i, 1, now_ms);
    assert_int_equal(greet(999, 1, now_ms), 0);
}

static void test_where_a_peer_came_in_has_a_budget_that_strangers_can_t_use_up(void **state)
{
    struct origin home = origin_of(1);
    (void)state;
    limits_note_peer(&limits, &home, START_MS);
    use_up_the_common_budget(START_MS);
    assert_int_equal(greet(2, 1, START_MS), 0);
    assert_int_equal(greet(1, 1000, START_MS), LIMITS_ORIGIN_HELLOS_BURST);
}

static void test_where_a_peer_came_in_long_ago_is_strange_again(void **state)
{
    struct origin home = origin_of(1);
    (void)state;
    limits_note_peer(&limits, &home, START_MS);
    use_up_the_common_budget(START_MS + LIMITS_FAMILIAR_MS);
    assert_int_equal(greet(1, 1, START_MS + LIMITS_FAMILIAR_MS), 0);
}

static void test_strangers_do_not_take_the_place_of_a_peer_s_origin(void **state)
{
    struct origin home = origin_of(1);
    (void)state;
    limits_note_peer(&limits, &home, START_MS);
    for (uint32_t i = 0; i < LIMITS_ORIGINS_REMEMBERED + 1; i++)
        greet(1000 + i, 1, START_MS + 1);
    assert_int_equal(greet(1, 1, START_MS + 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_one_origin_gets_its_burst_and_then_its_rate, start),
        cmocka_unit_test_setup(test_one_flooder_leaves_the_common_budget_to_others, start),
        cmocka_unit_test_setup(test_all_origins_share_one_budget, start),
        cmocka_unit_test_setup(test_the_origin_seen_longest_ago_is_forgotten, start),
        cmocka_unit_test_setup(test_strangers_use_our_key_at_their_rate, start),
        cmocka_unit_test_setup(test_strangers_leave_the_share_of_the_invited, start),
        cmocka_unit_test_setup(test_where_a_peer_came_in_has_a_budget_that_strangers_can_t_use_up,
                               start),
        cmocka_unit_test_setup(test_where_a_peer_came_in_long_ago_is_strange_again, start),
        cmocka_unit_test_setup(test_strangers_do_not_take_the_place_of_a_peer_s_origin, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
