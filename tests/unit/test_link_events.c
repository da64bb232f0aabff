/* SPDX-License-Identifier: ISC */
/*
 * Tests core/link_events: what happens on a link comes to the module that answers it, in the order
 * that these count on, and a store that fails ends what it has to.
 */
#include "unit/link_events_rig.h"

#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"

/* --- events ----------------------------------------------------------------------------------- */

static void test_a_stranger_goes_on_within_its_budget(void **state)
{
    (void)state;
    assert_true(core_link_events.greeted(&stage.answers, &stage.link));
    let("hello", 1);
    assert_false(core_link_events.greeted(&stage.answers, &stage.link));
}

static void test_each_event_has_one_who_answers(void **state)
{
    static const uint8_t instance[INSTANCE_SIZE];
    const struct {
        struct session_event event;
        const char *said;
    } rows[] = {
        {{.type = SESSION_IDENTIFIED}, "identified"},
        {{.type = SESSION_CONFIRMED}, "confirmed rival"},
        {{.type = SESSION_ITEM}, "receive"},
        {{.type = SESSION_ACKED}, "acknowledged"},
        {{.type = SESSION_REKEYED}, "rekeyed"},
        {{.type = SESSION_LANE, .lane = {NULL, 3}}, "lane"},
        {{.type = SESSION_TOLD, .told = {NULL, 5}}, "hear"},
        {{.type = SESSION_INSTANCE, .instance = {instance, INSTANCE_SIZE}}, "instance"},
        {{.type = SESSION_CLONED, .instance = {instance, INSTANCE_SIZE}}, "cloned"},
        {{.type = SESSION_NOTHING}, ""},
        {{.type = SESSION_ENDED}, ""},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        happen(&rows[i].event);
        assert_string_equal(stage.said, rows[i].said);
    }
}

static void test_a_link_that_is_let_in_has_not_lost(void **state)
{
    (void)state;
    stage.link.establish_due = true;
    happen_as(SESSION_CONFIRMED);
    assert_string_equal(stage.said, "confirmed");
}

static void test_an_answer_counts_once_others_have_lost(void **state)
{
    (void)state;
    happen_as(SESSION_PONG);
    assert_false(stage.link.rival_answered);
    stage.link.rival_ms = NOW_MS;
    happen_as(SESSION_PONG);
    assert_true(stage.link.rival_answered);
}

static void test_an_open_session_is_made_use_of_in_order(void **state)
{
    (void)state;
    stage.peer.kept_out_ms = NOW_MS;
    happen_as(SESSION_OPENED);
    assert_string_equal(stage.said, "open start up tell features");
    assert_int_equal(stage.peer.kept_out_ms, 0);
    assert_int_equal(stage.features, 5);
    assert_true(stage.kept);
    stage.room = false;
    happen_as(SESSION_OPENED);
    assert_false(stage.kept);
}

static void test_on_a_full_disk_nothing_is_heard_that_would_undo_the_turn(void **state)
{
    (void)state;
    stage.room = false;
    happen(&(struct session_event){.type = SESSION_TOLD, .told = {NULL, 5}});
    assert_string_equal(stage.said, "");
}

static void test_an_answer_in_time_measures_the_way(void **state)
{
    (void)state;
    happen(&(struct session_event){.type = SESSION_PONG, .token = NOW_MS - 30});
    assert_int_equal(stage.peer.rtt_ms, 30);
    happen(&(struct session_event){.type = SESSION_PONG, .token = NOW_MS + 1});
    happen(&(struct session_event){.type = SESSION_PONG, .token = 0});
    assert_int_equal(stage.peer.rtt_ms, 30);
    assert_int_equal(stage.pongs, 1);
}

static void test_nobody_s_session_tells_nobody(void **state)
{
    (void)state;
    stage.link.peer = NULL;
    happen(&(struct session_event){.type = SESSION_PONG, .token = NOW_MS - 30});
    happen_as(SESSION_REKEYED);
    assert_string_equal(stage.said, "");
    assert_int_equal(stage.pongs, 0);
}

static void test_a_full_disk_costs_the_link_and_a_failed_one_the_node(void **state)
{
    static const char *const deliveries[] = {"receive", "acknowledged"};
    static const enum session_event_type types[] = {SESSION_ITEM, SESSION_ACKED};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        stage.closed = CLOSE_NORMAL;
        stage.failure = 0;
        let(deliveries[i], NODE_DISK_FULL);
        happen_as(types[i]);
        assert_int_equal(stage.closed, CLOSE_INTERNAL_ERROR);
        assert_int_equal(stage.failure, 0);
        stage.closed = CLOSE_NORMAL;
        let(deliveries[i], -EIO);
        happen_as(types[i]);
        assert_int_equal(stage.closed, CLOSE_NORMAL);
        assert_int_equal(stage.failure, -EIO);
    }
}

static void test_what_is_nice_to_know_fails_the_node_with_the_store_only(void **state)
{
    static const char *const notes[] = {"open", "features", "hear"};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(notes); i++) {
        stage.failure = 0;
        let(notes[i], i == 0 ? (int)DB_FULL : (int)NODE_DISK_FULL);
        happen_as(SESSION_OPENED);
        happen(&(struct session_event){.type = SESSION_TOLD, .told = {NULL, 5}});
        assert_int_equal(stage.failure, 0);
        let(notes[i], -EIO);
        happen_as(SESSION_OPENED);
        happen(&(struct session_event){.type = SESSION_TOLD, .told = {NULL, 5}});
        assert_int_equal(stage.failure, -EIO);
    }
}

/* --- ends ------------------------------------------------------------------------------------- */

static void test_the_end_of_a_peer_s_session_is_told_in_order(void **state)
{
    (void)state;
    end_link();
    assert_string_equal(stage.said, "forget down end offline");
    assert_int_equal(stage.remembered, 1);
}

static void test_the_end_of_a_handshake_is_its_round_s(void **state)
{
    static int round; /* only its address counts */
    (void)state;
    stage.round = (struct round *)(void *)&round;
    end_link();
    assert_string_equal(stage.said, "forget attempt");
    assert_int_equal(stage.remembered, 1);
}

static void test_ends_tell_of_others_with_our_key(void **state)
{
    static const struct link_end own = {.coded = true, .code = CLOSE_SELF};
    static const struct link_end duplicate = {
        .coded = true, .code = CLOSE_DUPLICATE, .by_peer = true};
    static const struct link_end by_us = {.coded = true, .code = CLOSE_DUPLICATE};
    static int round;
    (void)state;
    stage.link.peer = NULL;
    end_link_by(&own);
    assert_string_equal(stage.said, "forget own-key");
    stage.link.peer = &stage.peer;
    stage.round = (struct round *)(void *)&round;
    end_link_by(&duplicate);
    assert_string_equal(stage.said, "forget kept-out attempt");
    stage.peer.kept_out_ms = NOW_MS;
    end_link_by(&by_us);
    assert_string_equal(stage.said, "forget attempt");
    assert_int_equal(stage.peer.kept_out_ms, 0);
}

static void test_the_end_of_a_former_link_changes_nothing(void **state)
{
    struct link newer = {0};
    (void)state;
    stage.peer.link = &newer;
    end_link();
    assert_string_equal(stage.said, "forget");
    assert_ptr_equal(stage.peer.link, &newer);
    assert_int_equal(stage.remembered, 1);
}

static void test_the_end_of_a_stranger_s_link_is_forgotten(void **state)
{
    (void)state;
    stage.link.peer = NULL;
    end_link();
    assert_string_equal(stage.said, "forget");
    assert_int_equal(stage.remembered, 0);
}

#define TEST(test) cmocka_unit_test_setup(test, stage_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_stranger_goes_on_within_its_budget),
        TEST(test_each_event_has_one_who_answers),
        TEST(test_a_link_that_is_let_in_has_not_lost),
        TEST(test_an_answer_counts_once_others_have_lost),
        TEST(test_an_open_session_is_made_use_of_in_order),
        TEST(test_on_a_full_disk_nothing_is_heard_that_would_undo_the_turn),
        TEST(test_an_answer_in_time_measures_the_way),
        TEST(test_nobody_s_session_tells_nobody),
        TEST(test_a_full_disk_costs_the_link_and_a_failed_one_the_node),
        TEST(test_what_is_nice_to_know_fails_the_node_with_the_store_only),
        TEST(test_the_end_of_a_peer_s_session_is_told_in_order),
        TEST(test_the_end_of_a_handshake_is_its_round_s),
        TEST(test_ends_tell_of_others_with_our_key),
        TEST(test_the_end_of_a_former_link_changes_nothing),
        TEST(test_the_end_of_a_stranger_s_link_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
