/* SPDX-License-Identifier: ISC */
/*
 * Two honest sessions meet: wherever the network cuts the stream, whatever their owners answer and
 * however late people approve.
 */
#include <errno.h>

#include "dialogue/fixture.h"

/* --- handshake -----------------------------------------------------------------------------------
 */

static void test_both_sides_learn_each_other_and_open(void **state)
{
    (void)state;
    assert_null(session_peer(rig.joiner.session));
    rig_run(&rig);
    assert_int_equal(session_phase(rig.joiner.session), SESSION_OPEN);
    assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
    assert_int_equal(party_count(&rig.joiner, SESSION_OPENED), 1);
    assert_int_equal(party_count(&rig.host, SESSION_OPENED), 1);
    assert_true(
        fingerprint_equal(pubkey_fingerprint(session_peer(rig.joiner.session)),
                          pubkey_fingerprint(identity_pubkey(party_identity(SESSION_HOST)))));
    assert_true(
        fingerprint_equal(pubkey_fingerprint(session_peer(rig.host.session)),
                          pubkey_fingerprint(identity_pubkey(party_identity(SESSION_JOINER)))));
    assert_memory_equal(rig.joiner.session->sid, rig.host.session->sid, SHA256_SIZE);
    assert_null(session_invite_id(rig.host.session));
    assert_false(session_invite_proven(rig.host.session, (const uint8_t[16]){0}));
}

/* Hands `side` what `other` said, cut once at `cut` bytes of the whole stream. */
static void carry_cut(struct party *from, struct party *to, size_t *carried, size_t cut)
{
    struct span data = bytes_span(&from->sent);
    size_t before = 0;
    if (cut > *carried && cut < *carried + data.size)
        before = cut - *carried;
    party_hear(to, SPAN(data.data, before), 0, RIG_START_MS);
    party_hear(to, SPAN(data.data + before, data.size - before), 0, RIG_START_MS);
    *carried += data.size;
    bytes_clear(&from->sent);
}

static void run_cut(size_t cut_joiner, size_t cut_host)
{
    size_t from_joiner = 0, from_host = 0;
    rig_init(&rig);
    for (unsigned round = 0; round < 3; round++) {
        party_speak(&rig.joiner, rig.now_ms);
        carry_cut(&rig.joiner, &rig.host, &from_joiner, cut_joiner);
        party_speak(&rig.host, rig.now_ms);
        carry_cut(&rig.host, &rig.joiner, &from_host, cut_host);
    }
    assert_int_equal(session_phase(rig.joiner.session), SESSION_OPEN);
    assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
    rig_deinit(&rig);
}

static void test_handshake_survives_every_cut_of_the_stream(void **state)
{
    enum { JOINER_BYTES = 85 + 1173 + 86, HOST_BYTES = 85 + 1685 + 86 };
    (void)state;
    for (size_t cut = 1; cut < HOST_BYTES; cut++)
        run_cut(cut < JOINER_BYTES ? cut : 0, cut);
}

static void test_single_bytes_are_enough(void **state)
{
    (void)state;
    rig.segment = 1;
    rig_run(&rig);
    assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
    for (unsigned i = 1; i <= 3; i++)
        assert_int_equal(party_send_text(&rig.joiner, "byte by byte", i, rig.now_ms), 0);
    rig_run(&rig);
    assert_int_equal(party_last(&rig.host, SESSION_ITEM)->ordinal, 3);
    assert_int_equal(party_last(&rig.joiner, SESSION_ACKED)->ordinal, 3);
}

static void test_nothing_is_read_while_a_question_is_open(void **state)
{
    const uint8_t garbage[16] = {0xff, 0xff};
    (void)state;
    rig.host.asks = true;
    rig_run(&rig);
    assert_int_equal(party_last(&rig.host, SESSION_IDENTIFIED)->type, SESSION_IDENTIFIED);
    assert_non_null(session_peer(rig.host.session));
    assert_int_equal(session_input(rig.host.session, SPAN(garbage, 16), rig.now_ms), 0);
    assert_int_equal(session_phase(rig.host.session), SESSION_HANDSHAKE);
    session_admit(rig.host.session, true, rig.now_ms);
    rig_run(&rig);
    assert_int_equal(party_count(&rig.host, SESSION_CONFIRMED), 1);
    assert_int_equal(session_input(rig.host.session, SPAN(garbage, 16), rig.now_ms), 0);
    assert_int_equal(session_phase(rig.joiner.session), SESSION_HANDSHAKE);
    session_establish(rig.host.session, rig.now_ms);
    rig_run(&rig);
    assert_int_equal(session_phase(rig.joiner.session), SESSION_OPEN);
}

static void test_host_that_refuses_admission_is_heard(void **state)
{
    (void)state;
    rig.host.asks = true;
    rig_run(&rig);
    session_reject(rig.host.session, CLOSE_REFUSED, rig.now_ms);
    rig_run(&rig);
    assert_ended(&rig.host, CLOSE_REFUSED, false);
    assert_ended(&rig.joiner, CLOSE_REFUSED, true);
    assert_null(session_peer(rig.joiner.session));
}

static void test_joiner_that_refuses_admission_is_heard(void **state)
{
    (void)state;
    rig.joiner.asks = true;
    rig_run(&rig);
    session_reject(rig.joiner.session, CLOSE_REFUSED, rig.now_ms);
    rig_run(&rig);
    assert_ended(&rig.joiner, CLOSE_REFUSED, false);
    assert_ended(&rig.host, CLOSE_REFUSED, true);
    assert_non_null(session_peer(rig.host.session));
}

static void test_host_that_refuses_a_second_link_is_heard(void **state)
{
    (void)state;
    rig.host.asks = true;
    rig_run(&rig);
    session_admit(rig.host.session, true, rig.now_ms);
    rig_run(&rig);
    session_reject(rig.host.session, CLOSE_DUPLICATE, rig.now_ms);
    rig_run(&rig);
    assert_ended(&rig.host, CLOSE_DUPLICATE, false);
    assert_ended(&rig.joiner, CLOSE_DUPLICATE, true);
    assert_int_equal(party_count(&rig.joiner, SESSION_CONFIRMED), 0);
}

static void test_joiner_that_refuses_a_second_link_says_close(void **state)
{
    (void)state;
    rig.joiner.asks = true;
    rig_run(&rig);
    session_admit(rig.joiner.session, true, rig.now_ms);
    rig_run(&rig);
    assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
    session_reject(rig.joiner.session, CLOSE_DUPLICATE, rig.now_ms);
    rig_run(&rig);
    assert_ended(&rig.joiner, CLOSE_DUPLICATE, false);
    assert_ended(&rig.host, CLOSE_DUPLICATE, true);
}

/* The host may have confirmed by then, and in a session an alert is an error. */
static void test_joiner_that_leaves_while_the_host_confirms_says_nothing(void **state)
{
    (void)state;
    rig.host.asks = true;
    rig_run(&rig);
    session_admit(rig.host.session, true, rig.now_ms);
    rig_run(&rig);
    party_last(&rig.host, SESSION_CONFIRMED);
    session_close(rig.joiner.session, CLOSE_NORMAL, rig.now_ms);
    assert_int_equal(session_phase(rig.joiner.session), SESSION_CLOSED);
    party_speak(&rig.joiner, rig.now_ms);
    assert_int_equal(rig.joiner.sent.size, 0);
}

static void test_close_before_hello_says_nothing(void **state)
{
    struct bytes out = {0};
    (void)state;
    session_close(rig.host.session, CLOSE_GOING_AWAY, rig.now_ms);
    party_listen(&rig.host, rig.now_ms);
    session_output(rig.host.session, &out, rig.now_ms);
    assert_int_equal(out.size, 0);
    assert_ended(&rig.host, CLOSE_GOING_AWAY, false);
}

/* --- approval ------------------------------------------------------------------------------------
 */

static void run_pending(bool joiner_stranger, bool host_stranger)
{
    rig.joiner.stranger = joiner_stranger;
    rig.host.stranger = host_stranger;
    rig_run(&rig);
    assert_int_equal(session_phase(rig.joiner.session), SESSION_PENDING);
    assert_int_equal(session_phase(rig.host.session), SESSION_PENDING);
    assert_int_equal(session_approved_here(rig.host.session), !host_stranger);
    assert_int_equal(session_approved_there(rig.host.session), !joiner_stranger);
    assert_int_equal(party_send_text(&rig.host, "too early", 1, rig.now_ms), -ENOTCONN);
}

static void assert_opens(void)
{
    rig_run(&rig);
    assert_int_equal(party_count(&rig.joiner, SESSION_OPENED), 1);
    assert_int_equal(party_count(&rig.host, SESSION_OPENED), 1);
    assert_int_equal(party_send_text(&rig.joiner, "now", 1, rig.now_ms), 0);
    rig_run(&rig);
    assert_string_equal((const char *)party_last(&rig.host, SESSION_ITEM)->item.content.data,
                        "now");
}

static void test_host_approves_later(void **state)
{
    (void)state;
    run_pending(false, true);
    session_approve(rig.host.session, rig.now_ms);
    session_approve(rig.host.session, rig.now_ms);
    assert_opens();
}

static void test_joiner_approves_later(void **state)
{
    (void)state;
    run_pending(true, false);
    session_approve(rig.joiner.session, rig.now_ms);
    assert_opens();
}

static void test_both_approve_at_once(void **state)
{
    (void)state;
    run_pending(true, true);
    session_approve(rig.joiner.session, rig.now_ms);
    assert_int_equal(session_phase(rig.joiner.session), SESSION_PENDING);
    session_approve(rig.host.session, rig.now_ms);
    assert_opens();
}

static void test_message_may_follow_approval_in_the_same_packet(void **state)
{
    (void)state;
    run_pending(false, true);
    session_approve(rig.host.session, rig.now_ms);
    assert_int_equal(party_send_text(&rig.host, "welcome", 1, rig.now_ms), 0);
    rig_run(&rig);
    assert_string_equal((const char *)party_last(&rig.joiner, SESSION_ITEM)->item.content.data,
                        "welcome");
}

static void test_refusal_while_pending_is_heard(void **state)
{
    (void)state;
    run_pending(false, true);
    session_close(rig.host.session, CLOSE_REFUSED, rig.now_ms);
    rig_run(&rig);
    assert_ended(&rig.joiner, CLOSE_REFUSED, true);
}

static void test_pending_answers_pings(void **state)
{
    (void)state;
    run_pending(true, true);
    session_ping(rig.joiner.session, 99, rig.now_ms);
    rig_run(&rig);
    assert_int_equal(party_last(&rig.joiner, SESSION_PONG)->token, 99);
}

static void test_pending_ends_after_its_time(void **state)
{
    (void)state;
    run_pending(false, true);
    rig_pass(&rig, SESSION_PENDING_TIMEOUT_MS - 1);
    assert_int_equal(session_phase(rig.host.session), SESSION_PENDING);
    rig_pass(&rig, 1);
    assert_int_equal(party_last(&rig.host, SESSION_ENDED)->code, CLOSE_APPROVAL_TIMEOUT);
    assert_int_equal(party_last(&rig.joiner, SESSION_ENDED)->code, CLOSE_APPROVAL_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_both_sides_learn_each_other_and_open),
        cmocka_unit_test(test_handshake_survives_every_cut_of_the_stream),
        FRESH(test_single_bytes_are_enough),
        FRESH(test_nothing_is_read_while_a_question_is_open),
        FRESH(test_host_that_refuses_admission_is_heard),
        FRESH(test_joiner_that_refuses_admission_is_heard),
        FRESH(test_host_that_refuses_a_second_link_is_heard),
        FRESH(test_joiner_that_refuses_a_second_link_says_close),
        FRESH(test_joiner_that_leaves_while_the_host_confirms_says_nothing),
        FRESH(test_close_before_hello_says_nothing),
        FRESH(test_host_approves_later),
        FRESH(test_joiner_approves_later),
        FRESH(test_both_approve_at_once),
        FRESH(test_message_may_follow_approval_in_the_same_packet),
        FRESH(test_refusal_while_pending_is_heard),
        FRESH(test_pending_answers_pings),
        FRESH(test_pending_ends_after_its_time),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
