/* SPDX-License-Identifier: ISC */
/*
 * Identities of every size in every role, and invites: what the host learns from IDENT besides the
 * key.
 */
#include <errno.h>
#include <string.h>

#include "crypto/kem.h"
#include "dialogue/fixture.h"
#include "proto/exchange.h"
#include "proto/features.h"
#include "proto/record.h"

enum { SIZES = 3 };

static struct identity *identities[2][SIZES];
static const unsigned bits[SIZES] = {2048, 3072, 4096};

static const uint8_t secret[INVITE_SECRET_SIZE] = "an invite's key";
static const uint8_t other_secret[INVITE_SECRET_SIZE] = "another's key..";

/* Starts a rig whose parties have these identities. */
static void start_with(const struct identity *joiner, const struct identity *host,
                       const uint8_t *invite_secret)
{
    const struct session_settings joining = {
        .role = SESSION_JOINER, .self = joiner, .invite_secret = invite_secret};
    const struct session_settings hosting = {.role = SESSION_HOST, .self = host};
    memset(&rig, 0, sizeof(rig));
    rig.now_ms = RIG_START_MS;
    assert_int_equal(session_new(&rig.joiner.session, &joining, rig.now_ms), 0);
    assert_int_equal(session_new(&rig.host.session, &hosting, rig.now_ms), 0);
}

static void test_all_key_sizes_meet_and_talk(void **state)
{
    (void)state;
    for (size_t j = 0; j < SIZES; j++) {
        for (size_t h = 0; h < SIZES; h++) {
            start_with(identities[0][j], identities[1][h], NULL);
            rig_run(&rig);
            assert_int_equal(session_phase(rig.joiner.session), SESSION_OPEN);
            assert_int_equal(party_send_text(&rig.joiner, "to you", 1, rig.now_ms), 0);
            assert_int_equal(party_send_text(&rig.host, "and you", 1, rig.now_ms), 0);
            rig_run(&rig);
            assert_int_equal(party_last(&rig.joiner, SESSION_ACKED)->ordinal, 1);
            assert_int_equal(party_last(&rig.host, SESSION_ACKED)->ordinal, 1);
            rig_deinit(&rig);
        }
    }
}

static void test_features_of_both_sides_meet(void **state)
{
    const uint32_t ours = FEATURE_HEADERS | FEATURE_CALLS | FEATURE_STREAMS;
    const uint32_t theirs = FEATURE_HEADERS | FEATURE_STREAMS | FEATURE_FILES | 1U << 31;
    const struct session_settings joining = {
        .role = SESSION_JOINER, .self = identities[0][0], .features = ours};
    const struct session_settings hosting = {
        .role = SESSION_HOST, .self = identities[1][0], .features = theirs};
    (void)state;
    memset(&rig, 0, sizeof(rig));
    rig.now_ms = RIG_START_MS;
    assert_int_equal(session_new(&rig.joiner.session, &joining, rig.now_ms), 0);
    assert_int_equal(session_new(&rig.host.session, &hosting, rig.now_ms), 0);
    assert_int_equal(session_features(rig.host.session), 0);
    rig_run(&rig);
    assert_int_equal(session_phase(rig.joiner.session), SESSION_OPEN);
    assert_int_equal(session_features(rig.joiner.session), FEATURE_HEADERS | FEATURE_STREAMS);
    assert_int_equal(session_features(rig.host.session), FEATURE_HEADERS | FEATURE_STREAMS);
    assert_true(session_peer_features(rig.joiner.session) == theirs);
    assert_true(session_peer_features(rig.host.session) == ours);
    rig_deinit(&rig);
}

/* No length on the wire depends on the keys. */
static void test_lengths_do_not_tell_the_key_size(void **state)
{
    const bool hybrid = (exchange_suites() & SUITE_BIT(SUITE_HYBRID)) != 0;
    const size_t joiner_sizes[] = {5 + 80 + (hybrid ? KEM_KEY_SIZE : 0), 5 + 1168, 5 + 81,
                                   5 + 32 + 1024};
    const size_t host_sizes[] = {5 + 80 + (hybrid ? KEM_CIPHERTEXT_SIZE : 0), 5 + 1680, 5 + 81,
                                 5 + 32 + 1024};
    (void)state;
    for (size_t k = 0; k < SIZES; k++) {
        start_with(identities[0][k], identities[1][k], NULL);
        rig_open_measured(&rig, joiner_sizes, host_sizes);
        rig_deinit(&rig);
    }
}

static void test_meeting_oneself_ends_both_sides(void **state)
{
    (void)state;
    start_with(identities[0][0], identities[0][0], NULL);
    rig_run(&rig);
    assert_ended(&rig.host, CLOSE_SELF, false);
    assert_ended(&rig.joiner, CLOSE_SELF, true);
    assert_true(session_met_own_key(rig.host.session));
    assert_false(session_met_own_key(rig.joiner.session)); /* it was only told */
    assert_true(session_other_end(rig.host.session, rig.joiner.session));
    rig_deinit(&rig);
}

static void test_ends_of_two_connections_are_told_apart(void **state)
{
    struct rig before;
    (void)state;
    start_with(identities[0][0], identities[1][0], NULL);
    assert_false(session_other_end(rig.host.session, rig.joiner.session)); /* no HELLO yet */
    rig_run(&rig);
    assert_true(session_other_end(rig.host.session, rig.joiner.session));
    assert_false(session_other_end(rig.host.session, rig.host.session));
    before = rig;
    start_with(identities[0][0], identities[1][0], NULL);
    rig_run(&rig);
    assert_false(session_other_end(rig.host.session, before.joiner.session));
    rig_deinit(&rig);
    rig_deinit(&before);
}

/* --- instances -------------------------------------------------------------------------------- */

static const uint8_t ours[INSTANCE_SIZE] = "the joiner's own",
                     theirs[INSTANCE_SIZE] = "that of the host";

/* What the last event of this type was about, as it came. */
static const char *heard(const struct party *party, enum session_event_type type)
{
    size_t i = party->event_count;
    while (i > 0 && party->events[i - 1].event.type != type)
        i--;
    assert_true(i > 0);
    return party->events[i - 1].text;
}

static void start_telling(void)
{
    start_with(identities[0][0], identities[1][0], NULL);
    rig.joiner.session->instance = ours;
    rig.host.session->instance = theirs;
    rig_run(&rig);
}

static void test_each_side_says_once_which_one_it_is(void **state)
{
    (void)state;
    start_telling();
    assert_int_equal(party_count(&rig.host, SESSION_INSTANCE), 1);
    assert_memory_equal(heard(&rig.host, SESSION_INSTANCE), ours, INSTANCE_SIZE);
    assert_int_equal(party_count(&rig.joiner, SESSION_INSTANCE), 1);
    assert_memory_equal(heard(&rig.joiner, SESSION_INSTANCE), theirs, INSTANCE_SIZE);
    assert_int_equal(
        record_append(&rig.joiner.session->answers, RECORD_INSTANCE, SPAN(ours, INSTANCE_SIZE)), 0);
    rig_run(&rig);
    assert_ended(&rig.host, CLOSE_PROTOCOL_ERROR, false);
    rig_deinit(&rig);
}

static void test_news_of_a_clone_arrive(void **state)
{
    (void)state;
    start_telling();
    assert_int_equal(session_tell_cloned(rig.joiner.session, theirs, ours), 0);
    rig_run(&rig);
    assert_memory_equal(heard(&rig.host, SESSION_CLONED), theirs, INSTANCE_SIZE);
    assert_memory_equal(heard(&rig.host, SESSION_CLONED) + INSTANCE_SIZE, ours, INSTANCE_SIZE);
    rig_deinit(&rig);
}

/* Before both sides approved nothing is to be said. */
static void test_a_stranger_says_nothing_of_instances(void **state)
{
    static const enum record_type types[] = {RECORD_INSTANCE, RECORD_CLONED};
    static const uint8_t body[CLONED_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        start_with(identities[0][0], identities[1][0], NULL);
        rig.host.stranger = true;
        rig.joiner.session->instance = ours;
        rig_run(&rig);
        assert_int_equal(party_count(&rig.host, SESSION_INSTANCE), 0);
        assert_int_equal(session_tell_cloned(rig.joiner.session, theirs, ours), -ENOTCONN);
        assert_int_equal(record_append(&rig.joiner.session->answers, types[i],
                                       SPAN(body, i == 0 ? INSTANCE_SIZE : CLONED_SIZE)),
                         0);
        rig_run(&rig);
        assert_ended(&rig.host, CLOSE_PROTOCOL_ERROR, false);
        rig_deinit(&rig);
    }
}

static void test_invite_is_proven_by_its_secret_alone(void **state)
{
    uint8_t id[INVITE_ID_SIZE];
    (void)state;
    start_with(identities[0][0], identities[1][0], secret);
    rig.host.asks = true;
    assert_null(session_invite_id(rig.host.session));
    assert_false(session_invite_proven(rig.host.session, secret));
    rig_run(&rig);
    assert_int_equal(invite_proof_id(secret, id), 0);
    assert_memory_equal(session_invite_id(rig.host.session), id, INVITE_ID_SIZE);
    assert_true(session_invite_proven(rig.host.session, secret));
    assert_false(session_invite_proven(rig.host.session, other_secret));
    /* It is consumed only later, so the answer must stay. */
    session_admit(rig.host.session, true, rig.now_ms);
    rig_run(&rig);
    assert_true(session_invite_proven(rig.host.session, secret));
    session_establish(rig.host.session, rig.now_ms);
    assert_true(session_invite_proven(rig.host.session, secret));
    rig_deinit(&rig);
}

static void test_proof_of_another_connection_or_joiner_is_worthless(void **state)
{
    struct handshake_invite before;
    (void)state;
    start_with(identities[0][0], identities[1][0], secret);
    rig_run(&rig);
    before = rig.host.session->invite;
    rig_deinit(&rig);

    start_with(identities[0][0], identities[1][0], secret);
    rig_run(&rig);
    assert_true(session_invite_proven(rig.host.session, secret));
    memcpy(rig.host.session->invite.mac, before.mac, INVITE_MAC_SIZE);
    assert_false(session_invite_proven(rig.host.session, secret));
    rig_deinit(&rig);

    start_with(identities[0][1], identities[1][0], secret);
    rig_run(&rig);
    rig.host.session->invite = before;
    assert_false(session_invite_proven(rig.host.session, secret));
    rig_deinit(&rig);
}

static int setup(void **state)
{
    if (rig_group_setup(state) != 0)
        return -1;
    for (size_t role = 0; role < 2; role++) {
        for (size_t i = 0; i < SIZES; i++) {
            if (identity_generate(&identities[role][i], bits[i]) != 0)
                return -1;
        }
    }
    return 0;
}

static int teardown(void **state)
{
    for (size_t role = 0; role < 2; role++) {
        for (size_t i = 0; i < SIZES; i++)
            identity_free(identities[role][i]);
    }
    return rig_group_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_key_sizes_meet_and_talk),
        cmocka_unit_test(test_features_of_both_sides_meet),
        cmocka_unit_test(test_lengths_do_not_tell_the_key_size),
        cmocka_unit_test(test_meeting_oneself_ends_both_sides),
        cmocka_unit_test(test_ends_of_two_connections_are_told_apart),
        cmocka_unit_test(test_each_side_says_once_which_one_it_is),
        cmocka_unit_test(test_news_of_a_clone_arrive),
        cmocka_unit_test(test_a_stranger_says_nothing_of_instances),
        cmocka_unit_test(test_invite_is_proven_by_its_secret_alone),
        cmocka_unit_test(test_proof_of_another_connection_or_joiner_is_worthless),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
