/* SPDX-License-Identifier: ISC */
/*
 * Tests core/delivery between a real store and a session that only notes what it is given: what
 * goes out again, what is acknowledged, and what may end the life of a message.
 */
#include "core/delivery.h"

#include <errno.h>
#include <string.h>

#include "core/node_outcome.h"
#include "crypto/crypto.h"
#include "proto/features.h"
#include "unit/cmocka_all.h"
#include "unit/delivery_rig.h"

/* --- out -------------------------------------------------------------------------------------- */

static void test_queue_goes_out_in_order_each_after_the_one_before(void **state)
{
    (void)state;
    const int64_t first = queue(1), second = queue(2);
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 2);
    assert_given(0, 1, 0);
    assert_given(1, 2, 1);
    assert_string_equal(stage.session.first_text, "hello");
    assert_int_equal(state_of(first), MESSAGE_SENT);
    acknowledge(1, 1);
    assert_int_equal(state_of(first), MESSAGE_DELIVERED);
    assert_int_equal(state_of(second), MESSAGE_SENT);
    acknowledge(2, 2);
    assert_int_equal(state_of(second), MESSAGE_DELIVERED);
}

static void test_what_was_not_acknowledged_is_repeated_as_it_was(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 3; n++)
        queue(n);
    assert_int_equal(pump(), 0);
    acknowledge(1, 1);
    end_session(CLOSE_IDLE_TIMEOUT, false);
    queue(4);
    open_session();
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_given(i, i + 2, i + 1);
}

static void test_no_more_than_the_window_is_given(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= SESSION_WINDOW_ITEMS + 2; n++)
        queue(n);
    for (unsigned turns = 1; turns <= 3; turns++) {
        const unsigned share = turns * TURN_ALONE_ITEMS;
        assert_int_equal(pump(), 0);
        assert_int_equal(stage.session.given,
                         share < SESSION_WINDOW_ITEMS ? share : SESSION_WINDOW_ITEMS);
        assert_int_equal(stage.peer.giving_due, share < SESSION_WINDOW_ITEMS);
    }
    acknowledge(1, 1);
    assert_true(stage.peer.giving_due);
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, SESSION_WINDOW_ITEMS + 1);
    assert_given(SESSION_WINDOW_ITEMS, SESSION_WINDOW_ITEMS + 1, SESSION_WINDOW_ITEMS);
}

static void test_nothing_goes_to_a_key_that_is_not_trusted(void **state)
{
    (void)state;
    const int64_t seq = queue(1);
    stage.trusted = false;
    assert_int_equal(pump(), 0);
    stage.trusted = true;
    stage.link_open = false;
    assert_int_equal(pump(), 0);
    stage.peer.link = NULL;
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 0);
    assert_int_equal(state_of(seq), MESSAGE_QUEUED);
}

static void test_a_session_that_takes_no_more_leaves_the_rest_in_the_queue(void **state)
{
    (void)state;
    const int64_t seq = queue(1);
    stage.session.refusal = SESSION_FULL;
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.closed, CLOSE_NORMAL);
    assert_int_equal(state_of(seq), MESSAGE_QUEUED);
    stage.session.refusal = -ENOMEM;
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.closed, CLOSE_INTERNAL_ERROR);
    assert_int_equal(state_of(seq), MESSAGE_QUEUED);
}

static void test_a_turn_passes_over_so_many_that_the_peer_can_not_take(void **state)
{
    uint64_t held;
    (void)state;
    for (unsigned n = 1; n <= QUEUE_HOLD_STEP + 1; n++) {
        struct message_row row = scratch_message(stage.peer.row.id, MESSAGE_OUT, n);
        row.needs = FEATURE_CALLS;
        row.body = SPAN("sealed", 6);
        assert_int_equal(messages_add(stage.scratch->db, &row), 0);
    }
    queue(QUEUE_HOLD_STEP + 2);
    assert_int_equal(pump(), 0);
    assert_int_equal(queue_held(stage.scratch->db, stage.peer.row.id, FEATURE_HEADERS, &held), 0);
    assert_int_equal(held, QUEUE_HOLD_STEP);
    assert_int_equal(stage.session.given, 0);
    assert_true(stage.peer.giving_due);
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 1);
    assert_given(0, QUEUE_HOLD_STEP + 2, 0);
    assert_false(stage.peer.giving_due);
}

static uint64_t count_unreadable(void)
{
    uint64_t count;
    assert_int_equal(queue_unreadable(stage.scratch->db, stage.peer.row.id, &count), 0);
    return count;
}

static void test_an_unreadable_message_waits_and_others_pass(void **state)
{
    (void)state;
    const int64_t damaged = queue_sealed(1, SPAN("this was never sealed", 21)), good = queue(2);
    assert_int_equal(pump(), 0);
    assert_int_equal(state_of(damaged), MESSAGE_QUEUED);
    assert_int_equal(stage.session.given, 1);
    assert_given(0, 2, 0);
    acknowledge(1, 1);
    assert_int_equal(state_of(good), MESSAGE_DELIVERED);
    assert_int_equal(count_unreadable(), 1);
    assert_true(stage.peer.unreadable_told);
    /* Another session does not try again, and has nothing to tell. */
    open_session();
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 0);
    assert_false(stage.peer.unreadable_told);
}

static const char rot[] = "UPDATE log SET body = CAST(body || x'00' AS BLOB) WHERE seq % 2 = 1";
static const char mend[] =
    "UPDATE log SET body = substr(body, 1, length(body) - 1) WHERE seq % 2 = 1";

static void test_what_was_transmitted_and_rots_is_passed_over(void **state)
{
    int64_t seqs[4];
    (void)state;
    for (unsigned n = 0; n < 4; n++)
        seqs[n] = queue(n + 1);
    assert_int_equal(seqs[0] % 2, 1);
    assert_int_equal(pump(), 0);
    end_session(CLOSE_IDLE_TIMEOUT, false);
    scratch_execute(stage.scratch, rot);
    open_session();
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 2);
    assert_given(0, 2, 1);
    assert_given(1, 4, 3);
    acknowledge(1, 2);
    for (unsigned n = 0; n < 4; n++)
        assert_int_equal(state_of(seqs[n]), n % 2 == 0 ? MESSAGE_SENT : MESSAGE_DELIVERED);
    assert_int_equal(count_unreadable(), 2);
    /* What can be read again, and was tried again, arrives in its order. */
    scratch_execute(stage.scratch, mend);
    assert_int_equal(queue_retry(stage.scratch->db), 0);
    assert_int_equal(count_unreadable(), 0);
    open_session();
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 2);
    assert_given(0, 1, 0);
    assert_given(1, 3, 2);
    acknowledge(1, 2);
    assert_int_equal(state_of(seqs[2]), MESSAGE_DELIVERED);
}

static void test_a_turn_passes_over_so_many_that_can_not_be_read(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= QUEUE_HOLD_STEP + 1; n++)
        queue_sealed(n, SPAN("this was never sealed", 21));
    queue(QUEUE_HOLD_STEP + 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pump(), 0);
        assert_int_equal(count_unreadable(), QUEUE_HOLD_STEP);
        assert_int_equal(stage.session.given, 0);
        assert_true(stage.peer.giving_due);
        assert_int_equal(pump(), 0);
        assert_int_equal(stage.session.given, i == 0 ? 1 : 0);
        assert_int_equal(count_unreadable(), QUEUE_HOLD_STEP + 1);
        acknowledge(1, stage.session.given);
        open_session();
        assert_int_equal(queue_retry(stage.scratch->db), 0); /* strays are as bounded */
    }
}

/* --- the blame -------------------------------------------------------------------------------- */

/* A session in which all that is waiting is given, and which ends like this. */
static void run_session(enum close_code code, bool by_peer)
{
    open_session();
    assert_int_equal(pump(), 0);
    end_session(code, by_peer);
}

static void test_the_peer_s_complaint_fails_the_oldest_in_the_end(void **state)
{
    static const enum close_code codes[] = {CLOSE_BAD_ITEM, CLOSE_UNSUPPORTED_RECORD};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const int64_t oldest = queue(10 * i + 1), next = queue(10 * i + 2);
        for (unsigned n = 1; n < SUSPICION_SESSIONS; n++)
            run_session(codes[i], true);
        assert_int_equal(state_of(oldest), MESSAGE_SENT);
        run_session(codes[i], true);
        assert_int_equal(state_of(oldest), MESSAGE_FAILED);
        open_session();
        assert_int_equal(pump(), 0);
        assert_given(0, 10 * i + 2, 10 * i + 1);
        acknowledge(1, 1);
        assert_int_equal(state_of(next), MESSAGE_DELIVERED);
        end_session(CLOSE_NORMAL, true);
    }
}

static void test_no_other_end_of_a_session_ends_a_message(void **state)
{
    (void)state;
    const int64_t seq = queue(1);
    for (unsigned n = 0; n < 3 * SUSPICION_SESSIONS; n++) {
        run_session(CLOSE_PROTOCOL_ERROR, true);
        run_session(CLOSE_BAD_ITEM, false);
        run_session(CLOSE_INTERNAL_ERROR, true);
    }
    assert_int_equal(state_of(seq), MESSAGE_SENT);
    assert_false(suspicion_raised(&stage.peer.suspicion));
}

static void test_under_suspicion_messages_go_one_by_one(void **state)
{
    (void)state;
    queue(1);
    queue(2);
    run_session(CLOSE_BAD_ITEM, true);
    open_session();
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 1);
    acknowledge(1, 1);
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 2);
    assert_false(suspicion_raised(&stage.peer.suspicion));
}

/* --- in --------------------------------------------------------------------------------------- */

static int receive(unsigned n)
{
    const struct session_event event = {
        .type = SESSION_ITEM,
        .ordinal = n,
        .item = {.id = scratch_id(n), .time_ms = 1, .content = SPAN("hi", 2)}};
    return delivery_receive(&stage.delivery, &stage.link, &event);
}

static void test_an_item_is_stored_once_and_acknowledged_each_time(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        stage.link.ack_due = 0;
        assert_int_equal(receive(1), 0);
        assert_int_equal(stage.link.ack_due, 1);
        assert_true(stage.link.dirty);
        assert_int_equal(scratch_stored(stage.scratch), 1);
    }
}

static void test_another_text_under_the_same_id_is_told_and_not_taken(void **state)
{
    (void)state;
    struct session_event event = {
        .type = SESSION_ITEM,
        .ordinal = 1,
        .item = {.id = scratch_id(1), .time_ms = 1, .content = SPAN("hi", 2)}};
    assert_int_equal(delivery_receive(&stage.delivery, &stage.link, &event), 0);
    assert_int_equal(delivery_receive(&stage.delivery, &stage.link, &event), 0);
    assert_false(stage.peer.differing_told);
    event.item.content = SPAN("ho", 2);
    assert_int_equal(delivery_receive(&stage.delivery, &stage.link, &event), 0);
    assert_true(stage.peer.differing_told);
    assert_int_equal(stage.link.ack_due, 1);
    assert_int_equal(scratch_stored(stage.scratch), 1);
    /* What kind of message it is counts as well. */
    open_session();
    assert_false(stage.peer.differing_told);
    event.item.kind = SESSION_HEADERS;
    event.item.content = SPAN("hi", 2);
    assert_int_equal(delivery_receive(&stage.delivery, &stage.link, &event), 0);
    assert_true(stage.peer.differing_told);
}

/* Declined for want of room on the disk, or because the peer has its share of it. */
static void decline(bool *reason, bool declining)
{
    *reason = declining;
    assert_int_equal(receive(1), 0);
    *reason = !declining;
    assert_int_equal(receive(2), 0);
    assert_int_equal(stage.link.ack_due, 0);
    assert_int_equal(scratch_stored(stage.scratch), 0);
    open_session();
    assert_int_equal(receive(1), 0);
    assert_int_equal(receive(2), 0);
    assert_int_equal(stage.link.ack_due, 2);
    assert_int_equal(scratch_stored(stage.scratch), 2);
}

static void test_after_a_declined_item_no_other_is_taken(void **state)
{
    (void)state;
    decline(&stage.room, false);
}

static void test_what_is_beyond_the_peer_s_share_is_declined(void **state)
{
    (void)state;
    decline(&stage.spent, true);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_queue_goes_out_in_order_each_after_the_one_before),
        TEST(test_what_was_not_acknowledged_is_repeated_as_it_was),
        TEST(test_no_more_than_the_window_is_given),
        TEST(test_nothing_goes_to_a_key_that_is_not_trusted),
        TEST(test_a_session_that_takes_no_more_leaves_the_rest_in_the_queue),
        TEST(test_a_turn_passes_over_so_many_that_the_peer_can_not_take),
        TEST(test_an_unreadable_message_waits_and_others_pass),
        TEST(test_what_was_transmitted_and_rots_is_passed_over),
        TEST(test_a_turn_passes_over_so_many_that_can_not_be_read),
        TEST(test_the_peer_s_complaint_fails_the_oldest_in_the_end),
        TEST(test_no_other_end_of_a_session_ends_a_message),
        TEST(test_under_suspicion_messages_go_one_by_one),
        TEST(test_an_item_is_stored_once_and_acknowledged_each_time),
        TEST(test_another_text_under_the_same_id_is_told_and_not_taken),
        TEST(test_after_a_declined_item_no_other_is_taken),
        TEST(test_what_is_beyond_the_peer_s_share_is_declined),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
