/* SPDX-License-Identifier: ISC */
/*
 * Two honest sessions get new keys, whatever is under way meanwhile, and lose all of them at the
 * end.
 */
#include <errno.h>

#include "dialogue/fixture.h"

/* --- rekey ---------------------------------------------------------------------------------------
 */

static void test_host_rekeys_a_used_epoch_after_a_quarter_of_an_hour(void **state)
{
    (void)state;
    party_send_text(&rig.joiner, "used", 1, rig.now_ms);
    rig_pass(&rig, EPOCH_AGE_USED_MS - 1);
    assert_int_equal(party_count(&rig.host, SESSION_REKEYED), 0);
    rig_pass(&rig, 1);
    assert_int_equal(party_last(&rig.host, SESSION_REKEYED)->epoch, 1);
    assert_int_equal(party_last(&rig.joiner, SESSION_REKEYED)->epoch, 1);
    assert_int_equal(rig.host.session->epoch.state, EPOCH_STEADY);
    assert_int_equal(rig.joiner.session->epoch.state, EPOCH_STEADY);
}

static void test_idle_epochs_follow_each_other_hourly(void **state)
{
    (void)state;
    rig_pass(&rig, 3 * EPOCH_AGE_IDLE_MS);
    assert_int_equal(party_last(&rig.joiner, SESSION_REKEYED)->epoch, 3);
    party_send_text(&rig.host, "still here", 1, rig.now_ms);
    rig_run(&rig);
    assert_int_equal(party_last(&rig.host, SESSION_ACKED)->ordinal, 1);
}

static void test_many_packets_lead_to_a_rekey(void **state)
{
    (void)state;
    rig.host.session->epoch.receiving.counter = EPOCH_COUNTER_REKEY - 1;
    rig.joiner.session->epoch.sending.counter = EPOCH_COUNTER_REKEY - 1;
    party_send_text(&rig.joiner, "one more", 1, rig.now_ms);
    rig_run(&rig);
    assert_int_equal(party_last(&rig.host, SESSION_REKEYED)->epoch, 1);
    assert_int_equal(rig.joiner.session->epoch.sending.counter, 0);
}

static void test_keys_differ_between_epochs_and_old_ones_are_gone(void **state)
{
    struct secret before = rig.host.session->epoch.root;
    (void)state;
    rig_pass(&rig, EPOCH_AGE_IDLE_MS);
    assert_memory_not_equal(rig.host.session->epoch.root.bytes, before.bytes, SECRET_SIZE);
    assert_memory_equal(rig.host.session->epoch.root.bytes, rig.joiner.session->epoch.root.bytes,
                        SECRET_SIZE);
    assert_true(
        bytes_all_zero((uint8_t *)&rig.host.session->epoch.exchange, sizeof(struct exchange)));
    assert_true(bytes_all_zero(rig.host.session->epoch.next_sending.bytes, SECRET_SIZE));
    assert_true(bytes_all_zero(rig.joiner.session->epoch.next_receiving.bytes, SECRET_SIZE));
}

/* Delivers at most one packet from one side, by the next bit of a schedule. */
static void step(unsigned bit)
{
    struct party *from = bit ? &rig.joiner : &rig.host;
    struct party *to = bit ? &rig.host : &rig.joiner;
    static unsigned counter;
    size_t size;
    party_send_text(from, "in flight", ++counter, rig.now_ms);
    session_output(from->session, &from->sent, rig.now_ms);
    if (from->sent.size < FRAME_HEADER_SIZE)
        return;
    size = FRAME_HEADER_SIZE + frame_header_get(from->sent.data).length;
    party_hear(to, SPAN(from->sent.data, size), 0, rig.now_ms);
    bytes_consume(&from->sent, size);
}

static void test_rekey_crosses_data_in_every_interleaving(void **state)
{
    enum { STEPS = 8 };
    (void)state;
    for (unsigned schedule = 0; schedule < 1 << STEPS; schedule++) {
        rig_open(&rig);
        /* Two packets of each side are under way when the rekey begins. */
        for (unsigned i = 0; i < 2; i++) {
            party_send_text(&rig.joiner, "early", 1, rig.now_ms);
            party_send_text(&rig.host, "early", 1, rig.now_ms);
            session_output(rig.joiner.session, &rig.joiner.sent, rig.now_ms);
            session_output(rig.host.session, &rig.host.sent, rig.now_ms);
        }
        assert_int_equal(epoch_start_rekey(&rig.host.session->epoch, rig.now_ms), 0);
        for (unsigned i = 0; i < STEPS; i++)
            step(schedule >> i & 1);
        rig_run(&rig);
        assert_int_equal(session_phase(rig.joiner.session), SESSION_OPEN);
        assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
        assert_int_equal(party_last(&rig.joiner, SESSION_REKEYED)->epoch, 1);
        assert_int_equal(party_count(&rig.joiner, SESSION_ITEM) +
                             party_count(&rig.host, SESSION_ITEM),
                         4 + STEPS);
        assert_true(rig.joiner.session->window.acked == rig.joiner.session->window.queued);
        assert_true(rig.host.session->window.acked == rig.host.session->window.queued);
        rig_deinit(&rig);
    }
}

static void test_joiner_that_never_answers_a_rekey_is_overdue(void **state)
{
    (void)state;
    assert_int_equal(epoch_start_rekey(&rig.host.session->epoch, rig.now_ms), 0);
    party_speak(&rig.host, rig.now_ms);
    session_tick(rig.host.session, rig.now_ms + EPOCH_STEP_TIMEOUT_MS - 1);
    assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
    session_tick(rig.host.session, rig.now_ms + EPOCH_STEP_TIMEOUT_MS);
    party_listen(&rig.host, rig.now_ms);
    assert_int_equal(party_last(&rig.host, SESSION_ENDED)->code, CLOSE_REKEY_OVERDUE);
}

static void test_host_that_never_finishes_a_rekey_is_overdue(void **state)
{
    (void)state;
    assert_int_equal(epoch_start_rekey(&rig.host.session->epoch, rig.now_ms), 0);
    party_speak(&rig.host, rig.now_ms);
    party_hear(&rig.joiner, bytes_span(&rig.host.sent), 0, rig.now_ms);
    party_speak(&rig.joiner, rig.now_ms);
    session_tick(rig.joiner.session, rig.now_ms + EPOCH_STEP_TIMEOUT_MS);
    party_listen(&rig.joiner, rig.now_ms);
    assert_int_equal(party_last(&rig.joiner, SESSION_ENDED)->code, CLOSE_REKEY_OVERDUE);
}

static void test_joiner_does_not_bear_an_old_epoch(void **state)
{
    (void)state;
    session_tick(rig.joiner.session, rig.now_ms + EPOCH_AGE_MAX_MS - 1);
    assert_int_equal(session_phase(rig.joiner.session), SESSION_OPEN);
    session_tick(rig.joiner.session, rig.now_ms + EPOCH_AGE_MAX_MS);
    party_listen(&rig.joiner, rig.now_ms);
    rig_run(&rig);
    assert_ended(&rig.joiner, CLOSE_REKEY_OVERDUE, false);
    assert_ended(&rig.host, CLOSE_REKEY_OVERDUE, true);
}

static void test_no_counter_reaches_its_limit(void **state)
{
    (void)state;
    rig.host.session->epoch.receiving.counter = PACKET_COUNTER_LIMIT - 2;
    rig.joiner.session->epoch.sending.counter = PACKET_COUNTER_LIMIT - 2;
    party_send_text(&rig.joiner, "last", 1, rig.now_ms);
    party_speak(&rig.joiner, rig.now_ms);
    rig_run(&rig);
    assert_ended(&rig.joiner, CLOSE_REKEY_OVERDUE, false);
    assert_int_equal(party_count(&rig.host, SESSION_ITEM), 1);
    assert_ended(&rig.host, CLOSE_REKEY_OVERDUE, true);
}

/* --- the end -------------------------------------------------------------------------------------
 */

static void test_close_is_heard_and_wipes_both_sides(void **state)
{
    (void)state;
    session_close(rig.joiner.session, CLOSE_GOING_AWAY, rig.now_ms);
    assert_true(bytes_all_zero((const uint8_t *)&rig.joiner.session->epoch, sizeof(struct epoch)));
    rig_run(&rig);
    assert_ended(&rig.joiner, CLOSE_GOING_AWAY, false);
    assert_ended(&rig.host, CLOSE_GOING_AWAY, true);
    assert_int_equal(party_count(&rig.host, SESSION_ENDED), 1);
}

static void test_close_carries_the_last_acknowledgement(void **state)
{
    (void)state;
    party_send_text(&rig.joiner, "the last", 1, rig.now_ms);
    party_speak(&rig.joiner, rig.now_ms);
    party_hear(&rig.host, bytes_span(&rig.joiner.sent), 0, rig.now_ms);
    bytes_clear(&rig.joiner.sent);
    session_close(rig.host.session, CLOSE_NORMAL, rig.now_ms);
    rig_run(&rig);
    assert_int_equal(party_last(&rig.joiner, SESSION_ACKED)->ordinal, 1);
    assert_ended(&rig.joiner, CLOSE_NORMAL, true);
}

static void test_closed_session_discards_everything(void **state)
{
    uint8_t noise[256] = {1, 2, 3};
    (void)state;
    session_close(rig.host.session, CLOSE_NORMAL, rig.now_ms);
    assert_int_equal(session_input(rig.host.session, SPAN(noise, 256), rig.now_ms), 256);
    rig_run(&rig);
    session_close(rig.host.session, CLOSE_NORMAL, rig.now_ms);
    session_approve(rig.host.session, rig.now_ms);
    session_ping(rig.host.session, 1, rig.now_ms);
    session_tick(rig.host.session, rig.now_ms + EPOCH_AGE_MAX_MS);
    assert_int_equal(party_send_text(&rig.host, "late", 1, rig.now_ms), -ENOTCONN);
    assert_int_equal(session_input(rig.host.session, SPAN(noise, 256), rig.now_ms), 256);
    assert_false(session_has_output(rig.host.session));
    assert_int_equal(session_next_event(rig.host.session).type, SESSION_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(test_host_rekeys_a_used_epoch_after_a_quarter_of_an_hour),
        OPEN(test_idle_epochs_follow_each_other_hourly),
        OPEN(test_many_packets_lead_to_a_rekey),
        OPEN(test_keys_differ_between_epochs_and_old_ones_are_gone),
        cmocka_unit_test(test_rekey_crosses_data_in_every_interleaving),
        OPEN(test_joiner_that_never_answers_a_rekey_is_overdue),
        OPEN(test_host_that_never_finishes_a_rekey_is_overdue),
        OPEN(test_joiner_does_not_bear_an_old_epoch),
        OPEN(test_no_counter_reaches_its_limit),
        OPEN(test_close_is_heard_and_wipes_both_sides),
        OPEN(test_close_carries_the_last_acknowledgement),
        OPEN(test_closed_session_discards_everything),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
