/* SPDX-License-Identifier: ISC */
/*
 * Dialling several ways at once, and many races at once.
 */
#include <stdlib.h>
#include <unistd.h>

#include "unit/cmocka_all.h"
#include "unit/dial_rig.h"

static void test_one_way_after_the_other_until_one_connects(void **state)
{
    struct call *call = *state;
    uint16_t port;
    const int fd = dead_port(&port);
    add_way(call, "127.0.0.1", port);
    add_way(call, "nowhere.test", port);
    add_way(call, "127.0.0.2", port);
    add_way(call, "127.0.0.1", call->port);
    start(call);
    wait_for(call);
    assert_false(call->over);
    assert_int_equal(call->way, 3);
    assert_in_range(call->failures, 2, 3); /* the name may still be looked up */
    close(fd);
}

static void test_seven_dead_ways_cost_a_moment_each(void **state)
{
    struct call *call = *state;
    struct black_hole holes[7];
    const uint64_t began = loop_now(call->rig.loop);
    for (unsigned i = 0; i < 7; i++) {
        uint16_t port = 0;
        black_hole_open(&holes[i], "127.0.0.1", &port);
        add_way(call, "127.0.0.1", port);
    }
    add_way(call, "127.0.0.1", call->port);
    start(call);
    wait_for(call);
    assert_int_equal(call->way, 7);
    assert_int_equal(call->failures, 0);
    /* 70 s, if each had to fail first. */
    assert_in_range(loop_now(call->rig.loop) - began, 7 * DIAL_STAGGER_MS, DIAL_CONNECT_MS);
    for (unsigned i = 0; i < 7; i++)
        black_hole_close(&holes[i]);
}

static void test_a_name_and_its_address_are_one_way(void **state)
{
    struct call *call = *state;
    uint16_t port;
    const int fd = dead_port(&port);
    write_hosts("127.0.0.1 nearby\n");
    add_way(call, "127.0.0.1", port);
    add_way(call, "nearby", port);
    add_way(call, "127.0.0.1", call->port);
    add_way(call, "nearby", call->port);
    start(call);
    wait_for(call);
    assert_int_equal(call->failures, 2);
    assert_string_equal(call->errors[0], "Connection refused");
    assert_true(call->way >= 2);
    rig_run_for(&call->rig, 2 * DIAL_STAGGER_MS);
    assert_int_equal(call->accepts, 1);
    close(fd);
}

static void test_a_race_that_rests_keeps_one_connection(void **state)
{
    struct call *call = *state;
    struct listener *other = listen_at(call, "127.0.0.2");
    call->choosy = true;
    add_way(call, "127.0.0.1", call->port);
    add_way(call, "127.0.0.2", call->port);
    start(call);
    rig_run_for(&call->rig, 3 * DIAL_STAGGER_MS);
    assert_int_equal(call->accepts, 1);
    call->choosy = false;
    dial_go_on(call->dial);
    wait_for(call);
    assert_int_equal(call->way, 0);
    assert_false(call->over);
    rig_run_for(&call->rig, 3 * DIAL_STAGGER_MS);
    assert_int_equal(call->accepts, 1);
    listener_free(other);
}

static void test_a_race_goes_on_when_it_is_told_and_ends_with_the_last_way(void **state)
{
    struct call *call = *state;
    struct listener *other = listen_at(call, "127.0.0.3");
    add_way(call, "127.0.0.1", call->port);
    write_hosts("127.0.0.1 nearby\n127.0.0.3 nearby\n");
    add_way(call, "nearby", call->port);
    start(call);
    wait_for(call);
    dial_go_on(call->dial);
    wait_for(call);
    assert_int_equal(call->way, 1);
    rig_run_for(&call->rig, 10);
    assert_int_equal(call->accepts, 2);
    dial_go_on(call->dial);
    wait_for(call);
    assert_true(call->over);
    assert_int_equal(call->failures, 0);
    listener_free(other);
}

/* --- many races ------------------------------------------------------------------------------- */

enum { CROWD = DIALER_RACES_MAX + 44 };

struct crowd {
    struct call calls[CROWD];
};

static bool is_one_over(void *context)
{
    const struct crowd *crowd = context;
    for (unsigned i = 0; i < CROWD; i++)
        if (crowd->calls[i].over)
            return true;
    return false;
}

static void test_of_the_races_that_wait_the_awaited_go_first(void **state)
{
    struct call *call = *state;
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    struct black_hole hole;
    uint16_t port = 0;
    black_hole_open(&hole, "127.0.0.1", &port);
    for (unsigned i = 0; i < CROWD; i++) {
        struct call *one = &crowd->calls[i];
        bool last = i == CROWD - 1;
        add_way(one, "127.0.0.1", last ? call->port : port);
        assert_int_equal(dial_start(&one->dial, call->dialer, last ? DIAL_AWAITED : DIAL_OTHER,
                                    one->ways, 1, &dial_rig_events, one),
                         0);
    }
    /* Those that came first end first, and then the last one may begin. */
    assert_true(rig_run_until(&call->rig, is_one_over, crowd));
    assert_true(rig_run_until_true(&call->rig, &crowd->calls[CROWD - 1].done));
    assert_non_null(crowd->calls[CROWD - 1].stream);
    assert_false(crowd->calls[CROWD - 2].done);
    for (unsigned i = 0; i < CROWD; i++) {
        dial_cancel(crowd->calls[i].dial);
        stream_free(crowd->calls[i].stream);
    }
    black_hole_close(&hole);
    free(crowd);
}

#define CALL(test) cmocka_unit_test_setup_teardown(test, dial_rig_setup, dial_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CALL(test_one_way_after_the_other_until_one_connects),
        CALL(test_seven_dead_ways_cost_a_moment_each),
        CALL(test_a_name_and_its_address_are_one_way),
        CALL(test_a_race_that_rests_keeps_one_connection),
        CALL(test_a_race_goes_on_when_it_is_told_and_ends_with_the_last_way),
        CALL(test_of_the_races_that_wait_the_awaited_go_first),
    };
    return cmocka_run_group_tests_name("race", tests, NULL, NULL);
}
