/* SPDX-License-Identifier: ISC */
/*
 * Tests core/calls: a request is given out once and after its claim is on disk, who may ask and
 * answer, what bounds there are, and what is taken back.
 */
#include "core/node_outcome.h"
#include "crypto/crypto.h"
#include "unit/calls_rig.h"
#include "unit/cmocka_all.h"

/* --- the usual -------------------------------------------------------------------------------- */

static void test_a_request_is_given_once_and_answered_once(void **state)
{
    (void)state;
    serve(&server, 1, NULL, 0);
    ask(alice, 1);
    assert_int_equal(stage.given, 0);
    turn();
    assert_int_equal(stage.given, 1);
    assert_int_equal(stage.last_given.peer, alice->row.id);
    turn();
    assert_int_equal(stage.given, 1);
    assert_counts(0, 1);
    assert_int_equal(answer(&server, 1, 7), 0);
    turn();
    assert_counts(0, 0);
    assert_int_equal(stage.result_count, 1);
    assert_result(0, 1, RESULT_EXITED);
    assert_int_equal(stage.results[0].status, 7);
    assert_int_equal(stage.results[0].peer, alice->row.id);
    assert_string_equal(stage.results[0].body, "out");
    assert_int_equal(fake_loop_due(), UINT64_MAX);
    /* Said again it is as it was; said otherwise it is late. */
    assert_int_equal(answer(&server, 1, 7), 0);
    assert_int_equal(answer(&server, 1, 8), CALLS_OVER);
    turn();
    assert_int_equal(stage.result_count, 1);
}

static void test_nobody_else_answers(void **state)
{
    (void)state;
    serve(&server, 1, NULL, 0);
    ask(alice, 1);
    assert_int_equal(answer(&server, 1, 0), CALLS_OVER); /* it was not given yet */
    turn();
    assert_int_equal(answer(&another, 1, 0), CALLS_OVER);
    assert_int_equal(answer(&server, 2, 0), CALLS_OVER);
    turn();
    assert_int_equal(stage.result_count, 0);
    assert_counts(0, 1);
}

static void test_a_provider_has_so_many_at_once_as_it_takes_oldest_first(void **state)
{
    const struct uuid third = scratch_id(3);
    (void)state;
    for (unsigned n = 1; n <= 3; n++)
        ask(alice, n);
    serve(&server, 1, NULL, 0);
    turn();
    /* Unknown until it was served: refused, not kept. */
    assert_int_equal(stage.result_count, 3);
    assert_result(0, 1, RESULT_REFUSED);
    for (unsigned n = 1; n <= 3; n++)
        ask(bob, n);
    turn();
    assert_int_equal(stage.given, 2);
    ask(bob, 4);
    turn();
    assert_int_equal(stage.given, 2);
    assert_counts(2, 2);
    assert_int_equal(answer(&server, 2, 0), 0);
    turn();
    assert_int_equal(stage.given, 3);
    assert_true(uuid_equal(&stage.last_given.id, &third));
}

static void test_only_those_who_may_are_let_in_when_they_come_and_when_it_is_their_turn(
    void **state)
{
    (void)state;
    serve(NULL, 1, NULL, 0);
    alice->row.trust = PEER_TOFU;
    ask(alice, 1);
    turn();
    assert_result(0, 1, RESULT_REFUSED);
    serve(&server, 1, NULL, 0);
    alice->row.trust = PEER_VERIFIED;
    ask(alice, 2);
    alice->row.trust = PEER_CHANGED;
    turn();
    assert_int_equal(stage.given, 0);
    assert_result(1, 2, RESULT_REFUSED);
    /* Who is blocked, or gone, is told nothing. */
    alice->row.trust = PEER_VERIFIED;
    ask(alice, 3);
    ask(bob, 4);
    alice->row.trust = PEER_BLOCKED;
    bob->row.id = 0;
    turn();
    assert_int_equal(stage.given, 0);
    assert_int_equal(stage.result_count, 2);
    assert_counts(0, 0);
}

/* --- bounds ----------------------------------------------------------------------------------- */

static void test_so_many_wait_of_a_peer(void **state)
{
    (void)state;
    serve(NULL, 1, NULL, 0);
    for (unsigned n = 1; n <= CALLS_WAITING_PEER_MAX; n++)
        ask(alice, n);
    turn();
    assert_int_equal(stage.result_count, 0);
    ask(alice, 100);
    ask(bob, 101);
    turn();
    assert_int_equal(stage.result_count, 1);
    assert_result(0, 100, RESULT_BUSY);
    assert_counts(CALLS_WAITING_PEER_MAX + 1, 0);
}

/* The last quarter is for peers with few. */
static void test_a_crowd_leaves_room_for_others(void **state)
{
    (void)state;
    serve(NULL, 1, NULL, 0);
    for (unsigned n = 0; n < CALLS_WAITING_CROWD; n++)
        ask(&stage.peers[1 + n / CALLS_WAITING_PEER_MAX], 1 + n);
    turn();
    assert_int_equal(stage.result_count, 0);
    for (unsigned n = 0; n <= CALLS_WAITING_FEW; n++)
        ask(alice, 2000 + n);
    turn();
    assert_int_equal(stage.result_count, 1);
    assert_result(0, 2000 + CALLS_WAITING_FEW, RESULT_BUSY);
    assert_counts(CALLS_WAITING_CROWD + CALLS_WAITING_FEW, 0);
}

static void test_a_peer_that_takes_no_answers_is_not_served(void **state)
{
    (void)state;
    serve(&server, 1, NULL, 0);
    stage.runtime.settings.queue_messages = 0;
    ask(alice, 1);
    turn();
    assert_int_equal(stage.given, 0);
    assert_int_equal(stage.result_count, 0);
    assert_counts(0, 0);
    crash();
    assert_counts(0, 0);
}

/* Ids are the peers': two may have the same. */
static void test_an_id_that_is_open_is_taken(void **state)
{
    (void)state;
    serve(NULL, 1, NULL, 0);
    ask(alice, 1);
    ask(bob, 1);
    turn();
    assert_int_equal(stage.result_count, 1);
    assert_int_equal(stage.results[0].peer, bob->row.id);
    assert_result(0, 1, RESULT_BUSY);
    assert_counts(1, 0);
}

/* --- time ------------------------------------------------------------------------------------- */

static void test_what_is_not_begun_in_time_is_late(void **state)
{
    (void)state;
    serve(NULL, 1, NULL, 0);
    ask(alice, 1);
    turn();
    assert_int_equal(fake_loop_due(), fake_loop.now_ms + ASK_S * 1000);
    turn_at(fake_loop_due() - 1);
    assert_int_equal(stage.result_count, 0);
    serve(&server, 1, NULL, 0);
    turn_at(fake_loop.now_ms + 1);
    assert_int_equal(stage.given, 0);
    assert_result(0, 1, RESULT_LATE);
}

static void test_what_runs_too_long_is_ended_by_its_provider_who_is_told_once(void **state)
{
    (void)state;
    serve(&server, 1, NULL, 0);
    ask(alice, 1);
    turn();
    for (unsigned i = 0; i < 2; i++) {
        turn_at(fake_loop.now_ms + ASK_S * 1000);
        stage.calls.due = true; /* whatever else happens */
        assert_int_equal(stage.stopped, 1);
        assert_int_equal(stage.result_count, 0);
    }
    assert_int_equal(answer(&server, 1, 143), 0);
    turn();
    assert_result(0, 1, RESULT_EXITED);
}

static void test_a_full_disk_gives_nothing_out_until_there_is_room(void **state)
{
    (void)state;
    serve(&server, 1, NULL, 0);
    ask(alice, 1);
    stage.room = false;
    turn();
    assert_int_equal(stage.given, 0);
    assert_int_equal(fake_loop_due(), fake_loop.now_ms + CALLS_RETRY_MS);
    stage.room = true;
    turn_at(fake_loop_due());
    assert_int_equal(stage.given, 1);
}

/* --- taking back ------------------------------------------------------------------------------ */

static void test_what_waits_is_taken_back_and_what_runs_is_ended(void **state)
{
    (void)state;
    serve(NULL, 1, NULL, 0);
    ask(alice, 1);
    cancel(bob, 1); /* not his */
    cancel(alice, 9);
    turn();
    assert_counts(1, 0);
    cancel(alice, 1);
    turn();
    assert_result(0, 1, RESULT_CANCELLED);
    cancel(alice, 1); /* it is over */
    serve(&server, 1, NULL, 0);
    ask(alice, 2);
    turn();
    cancel(bob, 2);
    turn();
    assert_int_equal(stage.stopped, 0);
    cancel(alice, 2);
    turn();
    assert_int_equal(stage.stopped, 1);
    assert_int_equal(stage.result_count, 1);
    assert_int_equal(answer(&server, 2, 143), 0);
    turn();
    assert_int_equal(stage.result_count, 2);
    assert_result(1, 2, RESULT_EXITED);
}

static void test_with_its_peer_a_request_goes(void **state)
{
    (void)state;
    serve(&server, 1, NULL, 0);
    for (unsigned n = 1; n <= 3; n++)
        ask(alice, n);
    ask(bob, 4);
    turn();
    assert_int_equal(stage.given, 2);
    const int64_t id = alice->row.id;
    alice->row.id = 0;
    assert_int_equal(calls_drop(&stage.calls, id), 0);
    assert_int_equal(stage.stopped, 2);
    turn();
    assert_int_equal(stage.result_count, 0);
    assert_int_equal(stage.given, 3);
    assert_int_equal(stage.last_given.peer, bob->row.id);
    assert_counts(0, 1);
    assert_int_equal(answer(&server, 1, 0), CALLS_OVER);
    crash();
    assert_counts(0, 1);
}

static void test_with_its_name_what_waits_is_refused(void **state)
{
    (void)state;
    serve(NULL, 1, NULL, 0);
    ask(alice, 1);
    turn();
    assert_int_equal(services_remove(&stage.services, "it", 1000, false), 0);
    assert_int_equal(calls_forget(&stage.calls, "it"), 0);
    turn();
    assert_result(0, 1, RESULT_REFUSED);
    crash();
    assert_null(services_find(&stage.services, "it"));
}

/* One that is added for streams alone takes requests no more. */
static void test_a_service_that_is_narrowed_refuses_what_waits(void **state)
{
    const struct service_terms terms = {.everybody = true, .streams = true};
    struct service *service;
    (void)state;
    serve(NULL, 1, NULL, 0);
    ask(alice, 1);
    turn();
    assert_int_equal(services_add(&stage.services, "it", &terms, 1000, false, &server, &service),
                     0);
    const struct calls_provider provider = {{1}, NULL, 0};
    assert_int_equal(calls_serve(&stage.calls, service, &provider), 0);
    turn();
    assert_result(0, 1, RESULT_REFUSED);
    assert_false(service->remembered);
    ask(alice, 2);
    turn();
    assert_result(1, 2, RESULT_REFUSED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_request_is_given_once_and_answered_once),
        TEST(test_nobody_else_answers),
        TEST(test_a_provider_has_so_many_at_once_as_it_takes_oldest_first),
        TEST(test_only_those_who_may_are_let_in_when_they_come_and_when_it_is_their_turn),
        TEST(test_so_many_wait_of_a_peer),
        TEST(test_a_crowd_leaves_room_for_others),
        TEST(test_a_peer_that_takes_no_answers_is_not_served),
        TEST(test_an_id_that_is_open_is_taken),
        TEST(test_what_is_not_begun_in_time_is_late),
        TEST(test_what_runs_too_long_is_ended_by_its_provider_who_is_told_once),
        TEST(test_a_full_disk_gives_nothing_out_until_there_is_room),
        TEST(test_what_waits_is_taken_back_and_what_runs_is_ended),
        TEST(test_with_its_peer_a_request_goes),
        TEST(test_with_its_name_what_waits_is_refused),
        TEST(test_a_service_that_is_narrowed_refuses_what_waits),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
