/* SPDX-License-Identifier: ISC */
/*
 * Tests core/streams: that all lanes with work have their share of a turn, and the others none.
 */
#include "unit/cmocka_all.h"
#include "unit/streams_rig.h"

/* A turn in which there may be work for all of these. */
static void turn_with(struct trunk *const trunks[], unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        trunk_touch(trunks[i]);
    stage.steps = 0;
    streams_turn(&stage.streams);
}

static void test_lanes_take_turns(void **state)
{
    struct trunk *const trunks[] = {trunk_to(1), trunk_to(2), trunk_to(3)};
    const size_t turn_size = 2 * TRUNK_WORK;
    (void)state;
    stage.busy[0] = true;
    for (unsigned turn = 0; turn < 2 * PEERS; turn++) {
        turn_with(trunks, PEERS);
        assert_int_equal(stage.steps, 3 * PEERS);
        for (unsigned i = 0; i < PEERS; i++)
            assert_ptr_equal(stage.order[i], trunks[(turn + i) % PEERS]);
        assert_int_equal(stage.written[turn % PEERS][0], (turn / PEERS + 1) * turn_size);
    }
    for (unsigned i = 0; i < PEERS; i++) {
        assert_int_equal(stage.read[i][0], 2 * turn_size);
        assert_int_equal(stage.written[i][0], 2 * turn_size);
    }
}

static void test_lanes_of_services_come_before_files_which_have_a_fourth(void **state)
{
    struct trunk *const trunks[] = {trunk_of_class(1, 1), trunk_of_class(2, 0)};
    (void)state;
    stage.busy[0] = stage.busy[1] = true;
    for (unsigned turn = 0; turn < 4; turn++)
        turn_with(trunks, 2);
    assert_int_equal(stage.written[0][1], 2 * TRUNK_WORK);
    assert_int_equal(stage.written[1][0], 6 * TRUNK_WORK);
    assert_int_equal(stage.read[0][1], 2 * TRUNK_WORK);
    stage.busy[0] = false;
    for (unsigned turn = 0; turn < 4; turn++)
        turn_with(trunks, 2);
    assert_int_equal(stage.written[0][1], 10 * TRUNK_WORK);
    assert_int_equal(stage.read[0][1], 10 * TRUNK_WORK);
}

static void test_lanes_without_work_cost_a_turn_nothing(void **state)
{
    struct trunk *const touched[] = {trunk_to(2)};
    (void)state;
    trunk_to(1);
    trunk_to(3);
    turn_with(NULL, 0);
    assert_int_equal(stage.steps, 0);
    turn_with(touched, 1);
    assert_int_equal(stage.steps, 3);
    turn_with(NULL, 0);
    assert_int_equal(stage.steps, 0);
}

static void test_what_is_left_of_a_turn_is_done_in_the_next(void **state)
{
    struct trunk *const trunks[] = {trunk_to(1)};
    (void)state;
    turn_with(trunks, 1);
    assert_int_equal(fake_loop.woken, 1); /* by the touch itself */
    stage.busy[0] = true;
    stage.nothing_comes = true;
    turn_with(trunks, 1);
    assert_int_equal(fake_loop.woken, 3);
    turn_with(NULL, 0);
    assert_int_equal(stage.written[0][0], 4 * TRUNK_WORK);
    stage.nothing_comes = false;
    stage.nothing_goes = true;
    turn_with(NULL, 0);
    turn_with(NULL, 0);
    assert_int_equal(stage.read[0][0], 4 * TRUNK_WORK);
    stage.busy[0] = false;
    turn_with(NULL, 0);
    turn_with(NULL, 0);
    assert_int_equal(stage.steps, 0);
}

static void test_what_came_up_in_a_turn_is_looked_at_in_the_next(void **state)
{
    struct trunk *const trunks[] = {trunk_to(1), trunk_to(1)};
    (void)state;
    stage.stirs = true;
    turn_with(trunks, 1);
    stage.stirs = false;
    turn_with(NULL, 0);
    assert_int_equal(stage.steps, 3);
    turn_with(NULL, 0);
    assert_int_equal(stage.steps, 0);
    turn_with(trunks, 2); /* twice before it is once in it */
    turn_with(NULL, 0);
    assert_int_equal(stage.steps, 0);
}

static void test_what_led_to_a_peer_that_was_removed_goes_with_its_streams(void **state)
{
    struct trunk *const trunks[] = {trunk_to(1)};
    (void)state;
    turn_with(trunks, 1);
    assert_int_equal(stage.trunks, 1);
    trunks[0]->channels.count = 1;
    stage.removed = true;
    turn_with(trunks, 1);
    assert_int_equal(stage.trunks, 1);
    trunks[0]->channels.count = 0;
    turn_with(trunks, 1);
    assert_int_equal(stage.trunks, 0);
}

static void test_what_is_needed_no_more_goes_and_may_come_again(void **state)
{
    struct trunk *const trunks[] = {trunk_to(1)};
    (void)state;
    stage.done = true;
    turn_with(trunks, 1);
    assert_int_equal(stage.trunks, 0);
    assert_non_null(trunk_to(1));
    assert_int_equal(stage.trunks, 1);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, streams_stage_set_up, streams_stage_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lanes_take_turns),
        TEST(test_lanes_of_services_come_before_files_which_have_a_fourth),
        TEST(test_lanes_without_work_cost_a_turn_nothing),
        TEST(test_what_is_left_of_a_turn_is_done_in_the_next),
        TEST(test_what_came_up_in_a_turn_is_looked_at_in_the_next),
        TEST(test_what_led_to_a_peer_that_was_removed_goes_with_its_streams),
        TEST(test_what_is_needed_no_more_goes_and_may_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
