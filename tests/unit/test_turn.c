/* SPDX-License-Identifier: ISC */
/*
 * Tests core/turn: who counts as another, and when a share is used up.
 */
#include "core/turn.h"

#include "unit/cmocka_all.h"

static struct turn turn;
static struct turn_share one, other;

static int set_up(void **state)
{
    (void)state;
    turn_init(&turn);
    one = other = (struct turn_share){.used = false};
    return 0;
}

/* Does what it may; how many items that is. */
static unsigned use_up(struct turn_share *share)
{
    unsigned items = 0;
    while (turn_left(&turn, share, 1000)) {
        turn_work(&turn, share, 1000);
        items++;
    }
    return items;
}

static void test_alone_it_has_the_large_share_in_each_turn(void **state)
{
    (void)state;
    for (int turns = 0; turns < 3; turns++) {
        assert_int_equal(use_up(&one), TURN_ALONE_ITEMS);
        turn_next(&turn);
    }
}

static void test_two_have_the_small_share_as_soon_as_both_are_known(void **state)
{
    (void)state;
    turn_work(&turn, &other, 1000);
    assert_int_equal(use_up(&one), TURN_SHARED_ITEMS);
    turn_next(&turn);
    assert_int_equal(use_up(&one), TURN_SHARED_ITEMS);
    turn_next(&turn);
    assert_int_equal(use_up(&one), TURN_ALONE_ITEMS);
}

static void test_a_client_is_another(void **state)
{
    (void)state;
    turn_join(&turn);
    assert_int_equal(use_up(&one), TURN_SHARED_ITEMS);
}

static void test_time_uses_up_a_share_too(void **state)
{
    (void)state;
    turn_work(&turn, &one, 1000);
    assert_true(turn_left(&turn, &one, 1000 + TURN_ALONE_MS - 1));
    assert_false(turn_left(&turn, &one, 1000 + TURN_ALONE_MS));
    turn_join(&turn);
    assert_true(turn_left(&turn, &one, 1000 + TURN_SHARED_MS - 1));
    assert_false(turn_left(&turn, &one, 1000 + TURN_SHARED_MS));
    turn_next(&turn);
    assert_true(turn_left(&turn, &one, 9000)); /* a new turn */
}

#define TEST(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_alone_it_has_the_large_share_in_each_turn),
        TEST(test_two_have_the_small_share_as_soon_as_both_are_known),
        TEST(test_a_client_is_another),
        TEST(test_time_uses_up_a_share_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
