/* SPDX-License-Identifier: ISC */
/*
 * Lives of the store: where two pasts part.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/lives.h"
#include "unit/scratch_db.h"

static const int64_t far = INT64_C(1) << 50;

static char past[LIVES_PAST_MAX];

/* Adds so many messages in a life of their own, and gives the last seq. */
static int64_t live(struct scratch *scratch, unsigned count)
{
    static unsigned n;
    scratch_reopen(scratch);
    for (unsigned i = 0; i < count; i++)
        scratch_add(scratch, 1, MESSAGE_IN, ++n);
    scratch_commit(scratch);
    return events_last(scratch->db);
}

static int64_t common(struct scratch *scratch, int64_t seq)
{
    return lives_common(scratch->db, past, seq);
}

static void test_what_is_added_later_belongs_to_the_same_past(void **state)
{
    struct scratch *scratch = *state;
    lives_past(scratch->db, past);
    live(scratch, 0);
    assert_int_equal(common(scratch, 5), 0); /* it never lived */
    lives_past(scratch->db, past);
    scratch_add(scratch, 1, MESSAGE_IN, 1000);
    scratch_commit(scratch);
    assert_int_equal(common(scratch, far), far);
    live(scratch, 2);
    assert_int_equal(common(scratch, 1), 1);
    assert_int_equal(common(scratch, far), 1);
}

static void test_pasts_part_where_one_life_ended(void **state)
{
    struct scratch *scratch = *state;
    const int64_t first = live(scratch, 3);
    lives_past(scratch->db, past);
    assert_int_equal(common(scratch, far), far);
    scratch_reopen(scratch); /* nothing was added since */
    assert_int_equal(common(scratch, far), first);
    live(scratch, 4);
    assert_int_equal(common(scratch, first), first);
    assert_int_equal(common(scratch, first + 1), first);
    assert_int_equal(common(scratch, 2), 2);
}

/* A copy was made in the middle of a life that is the newest that both know. */
static void test_pasts_part_where_a_life_began_that_is_not_known_here(void **state)
{
    struct scratch *scratch = *state;
    live(scratch, 3);
    char own[LIVES_PAST_MAX];
    lives_past(scratch->db, own);
    snprintf(past, sizeof past, "%s/3.0123456789abcdef%.200s", db_epoch(scratch->db),
             strchr(own, '/'));
    assert_int_equal(common(scratch, 2), 2);
    assert_int_equal(common(scratch, far), 2);
}

static void test_only_the_newest_lives_are_told(void **state)
{
    struct scratch *scratch = *state;
    const int64_t end = live(scratch, 1);
    lives_past(scratch->db, past);
    for (unsigned i = 0; i < LIVES_IN_PAST; i++)
        live(scratch, 1);
    assert_int_equal(common(scratch, far), end);
    lives_past(scratch->db, past);
    assert_true(strlen(past) < LIVES_PAST_MAX);
    unsigned told = 0;
    for (const char *at = past; (at = strchr(at, '/')) != NULL; at++)
        told++;
    assert_int_equal(told, LIVES_IN_PAST);
}

static void test_the_first_row_of_a_life_changes_no_past(void **state)
{
    struct scratch *scratch = *state;
    live(scratch, 1);
    lives_past(scratch->db, past);
    live(scratch, 0);
    char before[LIVES_PAST_MAX];
    lives_past(scratch->db, before);
    scratch_add(scratch, 1, MESSAGE_IN, 2000);
    scratch_commit(scratch);
    lives_past(scratch->db, past);
    assert_string_equal(past, before);
}

static void test_an_epoch_alone_is_believed_if_it_is_ours(void **state)
{
    struct scratch *scratch = *state;
    live(scratch, 1);
    assert_int_equal(lives_common(scratch->db, db_epoch(scratch->db), 7), 7);
    assert_int_equal(lives_common(scratch->db, "0123", 7), 0);
    assert_int_equal(lives_common(scratch->db, "", 7), 0);
}

static int set_up(void **state)
{
    int r = scratch_set_up(state);
    scratch_peer(*state, "alice");
    scratch_commit(*state);
    return r;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_added_later_belongs_to_the_same_past),
        TEST(test_pasts_part_where_one_life_ended),
        TEST(test_pasts_part_where_a_life_began_that_is_not_known_here),
        TEST(test_only_the_newest_lives_are_told),
        TEST(test_the_first_row_of_a_life_changes_no_past),
        TEST(test_an_epoch_alone_is_believed_if_it_is_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
