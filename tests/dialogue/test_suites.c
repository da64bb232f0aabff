/* SPDX-License-Identifier: ISC */
/*
 * Both suites: which one two sides agree on, sessions and rekeys in each, and attackers who would
 * rather have the weaker one, or sends what is no share.
 */
#include <string.h>

#include "dialogue/fixture.h"
#include "dialogue/puppet.h"
#include "vectors/vectors.h"

enum {
    HEADER = FRAME_HEADER_SIZE,
    CLASSIC = SUITE_BIT(SUITE_CLASSIC),
    HYBRID = SUITE_BIT(SUITE_HYBRID),
    SUITES_AT = 10, /* in either HELLO */
    KEM_AT = 78,
};

static struct puppet puppet;

static void need_kem(void)
{
    if (!kem_available()) {
        print_message("SKIP: OpenSSL has no ML-KEM; from 3.5 on it does\n");
        skip();
    }
}

static int clear(void **state)
{
    (void)state;
    party_suites = CLASSIC;
    return 0;
}

/* Two sessions whose sides have these suites. */
static void start_with(unsigned joiner, unsigned host)
{
    const struct session_settings joining = {
        .role = SESSION_JOINER, .self = party_identity(SESSION_JOINER), .suites = joiner};
    const struct session_settings hosting = {
        .role = SESSION_HOST, .self = party_identity(SESSION_HOST), .suites = host};
    memset(&rig, 0, sizeof(rig));
    rig.now_ms = RIG_START_MS;
    assert_int_equal(session_new(&rig.joiner.session, &joining, rig.now_ms), 0);
    assert_int_equal(session_new(&rig.host.session, &hosting, rig.now_ms), 0);
}

static void test_two_sides_speak_the_highest_suite_of_both(void **state)
{
    (void)state;
    need_kem();
    for (unsigned joiner = 1; joiner <= (CLASSIC | HYBRID); joiner++) {
        for (unsigned host = 1; host <= (CLASSIC | HYBRID); host++) {
            unsigned common = joiner & host;
            start_with(joiner, host);
            rig_run(&rig);
            if (common == 0) {
                assert_ended(&rig.host, CLOSE_UNSUPPORTED, false);
                assert_ended(&rig.joiner, CLOSE_UNSUPPORTED, true);
            } else {
                enum suite expected = common & HYBRID ? SUITE_HYBRID : SUITE_CLASSIC;
                assert_int_equal(session_phase(rig.joiner.session), SESSION_OPEN);
                assert_int_equal(session_suite(rig.joiner.session), expected);
                assert_int_equal(session_suite(rig.host.session), expected);
            }
            rig_deinit(&rig);
        }
    }
}

static void test_what_nobody_chose_is_all_that_the_machine_can_do(void **state)
{
    (void)state;
    start_with(0, 0);
    rig_run(&rig);
    assert_int_equal(session_phase(rig.joiner.session), SESSION_OPEN);
    assert_int_equal(session_suite(rig.host.session),
                     kem_available() ? SUITE_HYBRID : SUITE_CLASSIC);
    rig_deinit(&rig);
}

static void test_only_hellos_are_longer_in_suite_2(void **state)
{
    static const size_t joiner_sizes[] = {5 + 1264, 5 + 1168, 5 + 81, 5 + 32 + 1024};
    static const size_t host_sizes[] = {5 + 1168, 5 + 1680, 5 + 81, 5 + 32 + 1024};
    (void)state;
    need_kem();
    start_with(CLASSIC | HYBRID, CLASSIC | HYBRID);
    rig_open_measured(&rig, joiner_sizes, host_sizes);
    rig_deinit(&rig);
}

static void test_a_session_is_rekeyed_in_its_suite(void **state)
{
    (void)state;
    need_kem();
    start_with(HYBRID, HYBRID);
    rig_run(&rig);
    for (unsigned epoch = 1; epoch <= 3; epoch++) {
        struct secret before = rig.host.session->epoch.root;
        party_send_text(&rig.joiner, "in this epoch", epoch, rig.now_ms);
        rig_run(&rig);
        assert_int_equal(party_last(&rig.joiner, SESSION_ACKED)->ordinal, epoch);
        rig_pass(&rig, EPOCH_AGE_USED_MS);
        assert_int_equal(party_last(&rig.joiner, SESSION_REKEYED)->epoch, epoch);
        assert_int_equal(party_last(&rig.host, SESSION_REKEYED)->epoch, epoch);
        assert_memory_not_equal(rig.host.session->epoch.root.bytes, before.bytes, SECRET_SIZE);
        assert_memory_equal(rig.host.session->epoch.root.bytes,
                            rig.joiner.session->epoch.root.bytes, SECRET_SIZE);
        assert_true(
            bytes_all_zero((uint8_t *)&rig.host.session->epoch.exchange, sizeof(struct exchange)));
    }
    rig_deinit(&rig);
}

/* --- who would have the weaker one ------------------------------------------------------------ */

/* The joiner's offer on its way to the host loses suite 2, with its key. */
static void strip_offer(struct bytes *frame)
{
    uint8_t *body = frame->data + HEADER;
    put_u32(frame->data, HELLO_SIZE_PLAIN);
    put_u16(body + SUITES_AT, CLASSIC);
    put_u16(body + KEM_AT - 2, 0);
    memmove(body + KEM_AT, body + KEM_AT + KEM_KEY_SIZE, 2);
    frame->size = HEADER + HELLO_SIZE_PLAIN;
}

static void test_an_offer_that_lost_suite_2_on_its_way_ends_in_nothing(void **state)
{
    (void)state;
    need_kem();
    start_with(CLASSIC | HYBRID, CLASSIC | HYBRID);
    party_speak(&rig.joiner, rig.now_ms);
    strip_offer(&rig.joiner.sent);
    rig_run(&rig);
    /* The transcripts differ, so what the joiner seals does not open. */
    assert_ended(&rig.host, CLOSE_HANDSHAKE_FAILED, false);
    assert_int_equal(party_count(&rig.host, SESSION_IDENTIFIED), 0);
    assert_int_equal(party_count(&rig.joiner, SESSION_IDENTIFIED), 0);
    assert_int_equal(session_phase(rig.joiner.session), SESSION_CLOSED);
    rig_deinit(&rig);
}

static void test_a_choice_that_was_changed_on_its_way_ends_in_nothing(void **state)
{
    (void)state;
    need_kem();
    start_with(CLASSIC | HYBRID, CLASSIC | HYBRID);
    party_speak(&rig.joiner, rig.now_ms);
    party_hear(&rig.host, bytes_span(&rig.joiner.sent), 0, rig.now_ms);
    bytes_clear(&rig.joiner.sent);
    party_speak(&rig.host, rig.now_ms);
    uint8_t *body = rig.host.sent.data + HEADER;
    put_u32(rig.host.sent.data, HELLO_SIZE_PLAIN);
    put_u16(body + SUITES_AT, SUITE_CLASSIC);
    put_u16(body + KEM_AT - 2, 0);
    memmove(body + KEM_AT, body + KEM_AT + KEM_CIPHERTEXT_SIZE, 2);
    rig.host.sent.size = HEADER + HELLO_SIZE_PLAIN;
    rig_run(&rig);
    assert_ended(&rig.host, CLOSE_HANDSHAKE_FAILED, false);
    assert_int_equal(session_phase(rig.joiner.session), SESSION_CLOSED);
    rig_deinit(&rig);
}

/* Needs no ML-KEM: it never comes to that. */
static void test_a_choice_that_was_not_offered_ends_silently(void **state)
{
    (void)state;
    puppet_init(&puppet, SESSION_HOST, PUPPET_HELLO);
    put_u32(puppet.out.data, HELLO_SIZE_PLAIN + KEM_CIPHERTEXT_SIZE);
    put_u16(puppet.out.data + HEADER + SUITES_AT, SUITE_HYBRID);
    puppet.out.size -= 4; /* lengths of ciphertext and extensions */
    assert_int_equal(bytes_append_u16(&puppet.out, KEM_CIPHERTEXT_SIZE), 0);
    assert_int_equal(bytes_append_zeros(&puppet.out, KEM_CIPHERTEXT_SIZE + 2), 0);
    puppet_send(&puppet);
    puppet_expect_silence(&puppet, CLOSE_PROTOCOL_ERROR);
    puppet_deinit(&puppet);
}

/* --- what is no share ------------------------------------------------------------------------- */

static void test_a_key_that_is_none_fails_the_handshake(void **state)
{
    (void)state;
    need_kem();
    vectors_choose(VECTORS_SUITE_2);
    party_suites = CLASSIC | HYBRID;
    puppet_init(&puppet, SESSION_JOINER, PUPPET_HELLO);
    memcpy(puppet.out.data + HEADER + KEM_AT, vector("ek_coefficient_0_is_q").data, KEM_KEY_SIZE);
    puppet_send(&puppet);
    puppet_expect_clear_alert(&puppet, CLOSE_HANDSHAKE_FAILED);
    puppet_deinit(&puppet);
}

/* A host that does not choose suite 2 does not look at its key. */
static void test_a_key_that_is_none_is_nothing_to_a_host_without_suite_2(void **state)
{
    (void)state;
    need_kem();
    vectors_choose(VECTORS_SUITE_2);
    start_with(CLASSIC | HYBRID, CLASSIC);
    party_speak(&rig.joiner, rig.now_ms);
    memcpy(rig.joiner.sent.data + HEADER + KEM_AT, vector("ek_coefficient_0_is_q").data,
           KEM_KEY_SIZE);
    party_hear(&rig.host, bytes_span(&rig.joiner.sent), 0, rig.now_ms);
    party_speak(&rig.host, rig.now_ms);
    assert_int_equal(frame_header_get(rig.host.sent.data).type, FRAME_HELLO_H);
    rig_deinit(&rig);
}

static void test_a_changed_ciphertext_ends_in_nothing(void **state)
{
    (void)state;
    need_kem();
    start_with(HYBRID, HYBRID);
    party_speak(&rig.joiner, rig.now_ms);
    party_hear(&rig.host, bytes_span(&rig.joiner.sent), 0, rig.now_ms);
    bytes_clear(&rig.joiner.sent);
    party_speak(&rig.host, rig.now_ms);
    rig.host.sent.data[HEADER + KEM_AT] ^= 1;
    rig_run(&rig);
    assert_ended(&rig.host, CLOSE_HANDSHAKE_FAILED, false);
    assert_int_equal(party_count(&rig.host, SESSION_IDENTIFIED), 0);
    rig_deinit(&rig);
}

/* A puppet with an open session in suite 2. */
static void begin_hybrid(enum session_role role)
{
    party_suites = HYBRID;
    puppet_init(&puppet, role, PUPPET_PACKETS);
}

static void test_a_key_that_is_none_ends_the_rekey(void **state)
{
    uint8_t share[KEYX_SIZE + KEM_KEY_SIZE] = {9};
    (void)state;
    need_kem();
    vectors_choose(VECTORS_SUITE_2);
    memcpy(share + KEYX_SIZE, vector("ek_coefficient_0_is_q").data, KEM_KEY_SIZE);
    begin_hybrid(SESSION_HOST);
    puppet_send_record(&puppet, RECORD_REKEY_INIT, share, sizeof(share));
    puppet_expect_close(&puppet, CLOSE_PROTOCOL_ERROR);
    puppet_deinit(&puppet);
}

static void test_low_order_point_ends_the_rekey_in_suite_2(void **state)
{
    uint8_t share[KEYX_SIZE + KEM_KEY_SIZE] = {0};
    (void)state;
    need_kem();
    vectors_choose(VECTORS_SUITE_2);
    memcpy(share + KEYX_SIZE, vector("mlkem_ek").data, KEM_KEY_SIZE);
    begin_hybrid(SESSION_HOST);
    puppet_send_record(&puppet, RECORD_REKEY_INIT, share, sizeof(share));
    puppet_expect_close(&puppet, CLOSE_PROTOCOL_ERROR);
    puppet_deinit(&puppet);
}

static void test_a_share_of_suite_1_does_not_rekey_suite_2(void **state)
{
    static const uint8_t share[KEYX_SIZE] = {9};
    (void)state;
    need_kem();
    begin_hybrid(SESSION_HOST);
    puppet_send_record(&puppet, RECORD_REKEY_INIT, share, sizeof(share));
    puppet_expect_close(&puppet, CLOSE_PROTOCOL_ERROR);
    puppet_deinit(&puppet);
    begin_hybrid(SESSION_JOINER);
    assert_int_equal(epoch_start_rekey(&puppet.victim.session->epoch, puppet.now_ms), 0);
    puppet_hear_records(&puppet);
    puppet_send_record(&puppet, RECORD_REKEY_RESP, share, sizeof(share));
    puppet_expect_close(&puppet, CLOSE_PROTOCOL_ERROR);
    puppet_deinit(&puppet);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_teardown(test, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_two_sides_speak_the_highest_suite_of_both),
        TEST(test_what_nobody_chose_is_all_that_the_machine_can_do),
        TEST(test_only_hellos_are_longer_in_suite_2),
        TEST(test_a_session_is_rekeyed_in_its_suite),
        TEST(test_an_offer_that_lost_suite_2_on_its_way_ends_in_nothing),
        TEST(test_a_choice_that_was_changed_on_its_way_ends_in_nothing),
        TEST(test_a_choice_that_was_not_offered_ends_silently),
        TEST(test_a_key_that_is_none_fails_the_handshake),
        TEST(test_a_key_that_is_none_is_nothing_to_a_host_without_suite_2),
        TEST(test_a_changed_ciphertext_ends_in_nothing),
        TEST(test_a_key_that_is_none_ends_the_rekey),
        TEST(test_low_order_point_ends_the_rekey_in_suite_2),
        TEST(test_a_share_of_suite_1_does_not_rekey_suite_2),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
