/* SPDX-License-Identifier: ISC */
/*
 * Tests core/calls when somebody dies or a turn is undone: a request is not given out again, and is
 * answered all the same. And of the results of our own, the first counts.
 */
#include "core/node_outcome.h"
#include "crypto/crypto.h"
#include "store/queue.h"
#include "unit/calls_rig.h"
#include "unit/cmocka_all.h"

/* --- who dies --------------------------------------------------------------------------------- */

static void test_what_a_provider_leaves_behind_is_interrupted(void **state)
{
    (void)state;
    serve(&server, 1, NULL, 0);
    ask(alice, 1);
    ask(alice, 2);
    ask(alice, 3);
    turn();
    assert_int_equal(calls_leave(&stage.calls, &another), 0);
    assert_counts(1, 2);
    services_leave(&stage.services, &server);
    assert_int_equal(calls_leave(&stage.calls, &server), 0);
    turn();
    assert_int_equal(stage.result_count, 2);
    assert_result(0, 1, RESULT_INTERRUPTED);
    assert_result(1, 2, RESULT_INTERRUPTED);
    assert_counts(1, 0);
    serve(&another, 2, NULL, 0);
    turn();
    assert_int_equal(stage.given, 3);
}

static void test_a_provider_that_comes_back_goes_on_with_what_it_has(void **state)
{
    static const unsigned first[] = {1};
    (void)state;
    serve(&server, 1, NULL, 0);
    ask(alice, 1);
    ask(alice, 2);
    ask(alice, 3);
    turn();
    crash();
    turn();
    assert_counts(1, 2);
    assert_int_equal(fake_loop_due(), fake_loop.now_ms + CALLS_GRACE_MS);
    serve(&another, 2, first, 1); /* another one may say what it likes */
    assert_counts(1, 2);
    assert_int_equal(answer(&another, 1, 0), CALLS_OVER);
    serve(&server, 1, first, 1);
    turn();
    assert_int_equal(stage.result_count, 1);
    assert_result(0, 2, RESULT_INTERRUPTED); /* it never reached it */
    assert_int_equal(stage.given, 3);        /* and 1 not again */
    assert_int_equal(answer(&server, 1, 5), 0);
    turn();
    assert_result(1, 1, RESULT_EXITED);
}

static void test_one_that_does_not_come_back_in_time_is_not_waited_for(void **state)
{
    static const unsigned first[] = {1};
    (void)state;
    serve(&server, 1, NULL, 0);
    ask(alice, 1);
    turn();
    crash();
    turn_at(fake_loop.now_ms + CALLS_GRACE_MS - 1);
    assert_int_equal(stage.result_count, 0);
    turn_at(fake_loop.now_ms + 1);
    assert_result(0, 1, RESULT_INTERRUPTED);
    serve(&server, 1, first, 1);
    assert_int_equal(answer(&server, 1, 0), CALLS_OVER);
    turn();
    assert_int_equal(stage.result_count, 1);
    assert_int_equal(stage.given, 1);
}

/* With a daemon that stops a provider only has to wait. */
static void test_a_daemon_that_stops_interrupts_nothing(void **state)
{
    static const unsigned first[] = {1};
    (void)state;
    serve(&server, 1, NULL, 0);
    ask(alice, 1);
    turn();
    stage.runtime.stopping = true;
    assert_int_equal(calls_leave(&stage.calls, &server), 0);
    turn();
    stage.runtime.stopping = false;
    crash();
    serve(&server, 1, first, 1);
    assert_int_equal(answer(&server, 1, 0), 0);
    turn();
    assert_int_equal(stage.result_count, 1);
    assert_result(0, 1, RESULT_EXITED);
}

static void test_a_copied_store_runs_nothing_that_it_holds_or_that_is_older(void **state)
{
    (void)state;
    serve(&server, 1, NULL, 0);
    ask(alice, 1);
    turn();
    serve(NULL, 1, NULL, 0);
    ask(alice, 2);
    turn();
    scratch_execute(stage.scratch, "UPDATE meta SET file = 'another'");
    crash();
    turn();
    assert_int_equal(stage.result_count, 2);
    assert_result(0, 1, RESULT_INTERRUPTED);
    assert_result(1, 2, RESULT_INTERRUPTED);
    stage.calls.restored_ms = loop_wall(NULL) + 1;
    serve(&server, 1, NULL, 0);
    ask(alice, 3);
    turn();
    assert_result(2, 3, RESULT_INTERRUPTED);
    fake_loop.now_ms++;
    ask(alice, 4);
    turn();
    assert_int_equal(stage.result_count, 3);
    assert_int_equal(stage.given, 2);
}

/* --- a turn that is undone -------------------------------------------------------------------- */

static void test_what_is_undone_did_not_happen(void **state)
{
    const struct uuid id = scratch_id(1);
    (void)state;
    serve(NULL, 1, NULL, 0);
    turn();
    ask(alice, 1);
    undo();
    assert_counts(0, 0);
    ask(alice, 1);
    turn();
    assert_counts(1, 0);
    cancel(alice, 1);
    assert_counts(0, 0);
    undo();
    assert_counts(1, 0);
    serve(&server, 1, NULL, 0);
    assert_int_equal(calls_pump(&stage.calls), 0);
    assert_counts(0, 1);
    undo();
    assert_counts(1, 0);
    assert_null(calls_find(&stage.calls, &id)->server);
    assert_int_equal(stage.given, 0);
    turn();
    assert_int_equal(stage.given, 1);
    assert_int_equal(answer(&server, 1, 0), 0);
    undo();
    assert_counts(0, 1);
    assert_int_equal(answer(&server, 1, 0), 0);
    turn();
    assert_int_equal(stage.given, 1);
    assert_int_equal(stage.result_count, 1);
}

/* What the end of a provider could not have noted is noted when there is room. */
static void test_an_end_that_is_undone_comes_again(void **state)
{
    (void)state;
    serve(&server, 1, NULL, 0);
    ask(alice, 1);
    turn();
    services_leave(&stage.services, &server);
    assert_int_equal(calls_leave(&stage.calls, &server), 0);
    undo();
    turn();
    assert_result(0, 1, RESULT_INTERRUPTED);
    assert_counts(0, 0);
}

/* --- results ---------------------------------------------------------------------------------- */

/* A request of ours to the peer. */
static int64_t request(const struct peer *peer, unsigned n)
{
    struct message_row row = scratch_message(peer->row.id, MESSAGE_OUT, n);
    row.kind = MESSAGE_REQUEST;
    assert_int_equal(messages_add(stage.scratch->db, &row), 0);
    return row.seq;
}

static int note_state(void *context, const struct message_row *row)
{
    *(enum message_state *)context = row->state;
    return 0;
}

static enum message_state state_of(int64_t seq)
{
    enum message_state state = MESSAGE_RECEIVED;
    assert_int_equal(messages_at(stage.scratch->db, seq, note_state, &state), 0);
    return state;
}

/* A result comes, of the request n: whether it was awaited. */
static bool result(struct peer *peer, unsigned n, uint8_t status, int64_t seq)
{
    const struct message_row row = {.kind = MESSAGE_RESULT, .seq = seq};
    const struct headers headers = {
        .has_result = true, .reply_to = scratch_id(n), .status = status};
    int r = calls_awaits(&stage.calls, peer, &headers);
    assert_true(r == 0 || r == DB_NOT_FOUND);
    assert_int_equal(calls_take(&stage.calls, peer, &row, &headers), 0);
    return r == 0;
}

static void test_the_first_result_of_the_peer_that_was_asked_counts(void **state)
{
    struct call_result found;
    (void)state;
    const int64_t seq = request(alice, 1),
                  text = scratch_add(stage.scratch, alice->row.id, MESSAGE_OUT, 2).seq;
    ask(alice, 3); /* what they asked is no request of ours */
    assert_false(result(bob, 1, 1, 101));
    assert_false(result(alice, 2, 2, 102));
    assert_false(result(alice, 3, 3, 103));
    assert_false(result(alice, 4, 4, 104));
    assert_int_equal(state_of(seq), MESSAGE_QUEUED);
    assert_int_equal(state_of(text), MESSAGE_QUEUED);
    assert_true(result(alice, 1, 5, 105));
    assert_int_equal(state_of(seq), MESSAGE_PROCESSED);
    assert_false(result(alice, 1, 6, 106));
    assert_int_equal(calls_find_result(stage.scratch->db, seq, &found), 0);
    assert_int_equal(found.status, 5);
    assert_int_equal(found.seq, 105);
    /* An acknowledgement that comes later takes nothing back. */
    assert_int_equal(queue_set_state(stage.scratch->db, seq, MESSAGE_DELIVERED, NULL, 1),
                     DB_NOT_FOUND);
    assert_int_equal(state_of(seq), MESSAGE_PROCESSED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_what_a_provider_leaves_behind_is_interrupted),
        TEST(test_a_provider_that_comes_back_goes_on_with_what_it_has),
        TEST(test_one_that_does_not_come_back_in_time_is_not_waited_for),
        TEST(test_a_daemon_that_stops_interrupts_nothing),
        TEST(test_a_copied_store_runs_nothing_that_it_holds_or_that_is_older),
        TEST(test_what_is_undone_did_not_happen),
        TEST(test_an_end_that_is_undone_comes_again),
        TEST(test_the_first_result_of_the_peer_that_was_asked_counts),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
