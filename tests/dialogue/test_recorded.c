/* SPDX-License-Identifier: ISC */
/*
 * The recorded conversation, played by two sessions: every byte that they put on the wire must be
 * the recorded one. Ephemeral keys come from fake_random; RSA signatures and the wrapped secret,
 * which are random in a way that can't be fed in, are the recorded ones, after a check that they
 * are good for exactly what is being signed or wrapped.
 */
#include <stdio.h>
#include <string.h>

#include "crypto/aead.h"
#include "dialogue/rig.h"
#include "proto/handshake_state.h"
#include "proto/session_state.h"
#include "unit/cmocka_all.h"
#include "unit/fake_random.h"
#include "vectors/vectors.h"

enum { HEADER = FRAME_HEADER_SIZE, MODULUS = 256, SPKI = 294, NONCE = 16 };

int __wrap_identity_sign(const struct identity *identity, enum signature_purpose purpose,
                         const struct span *parts, size_t count, uint8_t *signature);
int __wrap_pubkey_wrap(const struct pubkey *key, const struct secret *secret, uint8_t *out);

/* The recorded signatures, in the order in which they were made. */
static struct {
    uint8_t made[16][MODULUS];
    bool by_joiner[16];
    size_t count;
    size_t used;
    uint8_t wrapped[MODULUS];
} recorded;

int __wrap_identity_sign(const struct identity *identity, enum signature_purpose purpose,
                         const struct span *parts, size_t count, uint8_t *signature)
{
    assert_true(recorded.used < recorded.count);
    memcpy(signature, recorded.made[recorded.used++], MODULUS);
    assert_int_equal(
        pubkey_verify(identity_pubkey(identity), purpose, parts, count, SPAN(signature, MODULUS)),
        0);
    return 0;
}

int __wrap_pubkey_wrap(const struct pubkey *key, const struct secret *secret, uint8_t *out)
{
    assert_int_equal(pubkey_modulus_size(key), MODULUS);
    assert_memory_equal(secret->bytes, vector("aes_key").data, SECRET_SIZE);
    memcpy(out, recorded.wrapped, MODULUS);
    return 0;
}

static struct secret secret_of(const char *name)
{
    struct secret secret;
    assert_int_equal(vector(name).size, SECRET_SIZE);
    memcpy(secret.bytes, vector(name).data, SECRET_SIZE);
    return secret;
}

static void learn_signature(const uint8_t *at, bool by_joiner)
{
    recorded.by_joiner[recorded.count] = by_joiner;
    memcpy(recorded.made[recorded.count++], at, MODULUS);
}

static void forget_signatures_of_the_joiner(void)
{
    size_t kept = 0;
    for (size_t i = 0; i < recorded.count; i++)
        if (!recorded.by_joiner[i])
            memcpy(recorded.made[kept++], recorded.made[i], MODULUS);
    recorded.count = kept;
}

/* Opens a recorded sealed handshake frame, the first of its direction. */
static void open_frame(const char *frame, const char *key, uint8_t *plaintext)
{
    struct seal seal = {.key = secret_of(key)};
    struct span whole = vector(frame);
    assert_int_equal(seal_open(&seal, frame_header_get(whole.data),
                               SPAN(whole.data + HEADER, whole.size - HEADER), plaintext),
                     0);
}

static void learn_packet(const char *name)
{
    static uint8_t plaintext[4096];
    struct span whole = vector(name);
    struct secret key;
    char key_name[64];
    snprintf(key_name, sizeof(key_name), "%s.key", name);
    key = secret_of(key_name);
    assert_int_equal(aead_open(&key, whole.data + HEADER, SPAN(whole.data, HEADER + NONCE),
                               SPAN(whole.data + HEADER + NONCE, whole.size - HEADER - NONCE),
                               plaintext),
                     0);
    learn_signature(plaintext, name[sizeof("packet_") - 1] == 'J');
}

static void learn_all(void)
{
    static const char *const packets[] = {
        "packet_J_e0_c0",
        "packet_H_e0_c0",
        "packet_H_e0_c1_REKEY_INIT",
        "packet_J_e0_c1_REKEY_RESP",
        "packet_H_e0_c2_REKEY_DONE",
        "packet_J_e1_c0",
        "packet_H_e1_c0_CLOSE",
    };
    uint8_t plaintext[2048];
    memset(&recorded, 0, sizeof(recorded));
    open_frame("frame_IDENT", "hs_joiner", plaintext);
    learn_signature(plaintext + 54 + SPKI, true);
    open_frame("frame_KEY", "hs_host", plaintext);
    learn_signature(plaintext + 8 + SPKI + MODULUS, false);
    memcpy(recorded.wrapped, plaintext + 8 + SPKI, MODULUS);
    for (size_t i = 0; i < COUNT_OF(packets); i++)
        learn_packet(packets[i]);
}

/* A conversation on file. Without ML-KEM its joiner can't be played, if it offers suite 2. */
struct recording {
    const char *file;
    unsigned joiner_suites;
    unsigned host_suites;
};

enum {
    CLASSIC_ONLY = SUITE_BIT(SUITE_CLASSIC),
    BOTH = SUITE_BIT(SUITE_CLASSIC) | SUITE_BIT(SUITE_HYBRID)
};

static const struct recording suite_1 = {VECTORS_SUITE_1, CLASSIC_ONLY, CLASSIC_ONLY};
static const struct recording suite_1_of_2 = {VECTORS_SUITE_1_OF_2, BOTH, CLASSIC_ONLY};
static const struct recording suite_2 = {VECTORS_SUITE_2, BOTH, BOTH};

static void need_kem(void)
{
    if (!kem_available()) {
        print_message("SKIP: OpenSSL has no ML-KEM; from 3.5 on it does\n");
        skip();
    }
}

static void push(const char *name)
{
    fake_random_push(vector(name).data, vector(name).size);
}

static void push_random_of(const char *hello)
{
    fake_random_push(vector(hello).data + HEADER + 12, HELLO_RANDOM_SIZE);
}

/* Randomness in the order in which it is asked for, by those who are played. */
static void feed_random(const struct recording *recording, bool joiner)
{
    static const uint8_t unwrap_fallback[SECRET_SIZE];
    bool hybrid = recording->host_suites == BOTH;
    fake_random_reset();
    if (joiner) {
        push_random_of("frame_HELLO_J");
        push("joiner_x25519_private");
    }
    if (joiner && recording->joiner_suites == BOTH) {
        push("joiner_mlkem_d");
        push("joiner_mlkem_z");
    }
    push_random_of("frame_HELLO_H");
    push("host_x25519_private");
    if (hybrid)
        push("host_mlkem_m");
    push("aes_key");
    if (joiner)
        fake_random_push(unwrap_fallback, sizeof(unwrap_fallback));
    push("host_rekey_x25519_private");
    if (hybrid) {
        push("host_rekey_mlkem_d");
        push("host_rekey_mlkem_z");
    }
    if (joiner)
        push("joiner_rekey_x25519_private");
    if (joiner && hybrid)
        push("joiner_rekey_mlkem_m");
}

/*
 * What `from` says next must be the recorded frame; `to` hears it. A side that is not played says
 * what was recorded, and needs to hear nothing.
 */
static void exchange(struct rig *rig, struct party *from, struct party *to, const char *name)
{
    struct span expected = vector(name);
    if (from->session != NULL) {
        session_output(from->session, &from->sent, rig->now_ms);
        assert_int_equal(from->sent.size, expected.size);
        assert_memory_equal(from->sent.data, expected.data, expected.size);
        assert_false(session_has_output(from->session));
        bytes_clear(&from->sent);
    }
    if (to->session != NULL)
        party_hear(to, expected, 0, rig->now_ms);
}

static void send_recorded_text(struct party *party, const char *context, const char *text,
                               uint64_t time_ms)
{
    struct session_item item = {.time_ms = time_ms, .content = SPAN(text, strlen(text))};
    const struct span part = SPAN(context, strlen(context));
    uint8_t hash[SHA256_SIZE];
    assert_int_equal(sha256(&part, 1, hash), 0);
    memcpy(item.id.bytes, hash, UUID_SIZE);
    assert_int_equal(session_send_item(party->session, &item, RIG_START_MS), 0);
}

static void start_with_invite(struct rig *rig, const struct recording *recording, bool joiner)
{
    vectors_choose(recording->file);
    const struct session_settings joining = {
        .role = SESSION_JOINER,
        .self = party_identity(SESSION_JOINER),
        .suites = recording->joiner_suites,
        .invite_secret = vector("invite_secret").data,
    };
    const struct session_settings hosting = {
        .role = SESSION_HOST,
        .self = party_identity(SESSION_HOST),
        .suites = recording->host_suites,
    };
    learn_all();
    feed_random(recording, joiner);
    memset(rig, 0, sizeof(*rig));
    rig->now_ms = RIG_START_MS;
    if (joiner)
        assert_int_equal(session_new(&rig->joiner.session, &joining, rig->now_ms), 0);
    else
        forget_signatures_of_the_joiner();
    assert_int_equal(session_new(&rig->host.session, &hosting, rig->now_ms), 0);
}

static void play_handshake(struct rig *rig)
{
    exchange(rig, &rig->joiner, &rig->host, "frame_HELLO_J");
    exchange(rig, &rig->host, &rig->joiner, "frame_HELLO_H");
    exchange(rig, &rig->joiner, &rig->host, "frame_IDENT");
    assert_memory_equal(session_invite_id(rig->host.session), vector("invite_id").data,
                        INVITE_ID_SIZE);
    assert_true(session_invite_proven(rig->host.session, vector("invite_secret").data));
    exchange(rig, &rig->host, &rig->joiner, "frame_KEY");
    exchange(rig, &rig->joiner, &rig->host, "frame_CONFIRM_J");
    exchange(rig, &rig->host, &rig->joiner, "frame_CONFIRM_H");
}

static void assert_epoch(const struct party *party, const char *sid, const char *root)
{
    if (party->session == NULL)
        return;
    assert_memory_equal(party->session->sid, vector(sid).data, SHA256_SIZE);
    assert_memory_equal(party->session->epoch.root.bytes, vector(root).data, SECRET_SIZE);
}

static void rekey(struct rig *rig)
{
    struct party *joiner = &rig->joiner, *host = &rig->host;
    assert_int_equal(epoch_start_rekey(&host->session->epoch, rig->now_ms), 0);
    exchange(rig, host, joiner, "packet_H_e0_c1_REKEY_INIT");
    exchange(rig, joiner, host, "packet_J_e0_c1_REKEY_RESP");
    exchange(rig, host, joiner, "packet_H_e0_c2_REKEY_DONE");
    assert_int_equal(party_last(host, SESSION_REKEYED)->epoch, 1);
    assert_epoch(joiner, "SID", "root_1");
    assert_epoch(host, "SID", "root_1");
}

/* The whole of it, with a joiner or against the recorded one. */
static void play(const struct recording *recording, bool plays_joiner, enum suite suite)
{
    static struct rig rig;
    struct party *joiner = &rig.joiner, *host = &rig.host;
    start_with_invite(&rig, recording, plays_joiner);
    play_handshake(&rig);
    assert_int_equal(session_suite(host->session), suite);
    assert_epoch(joiner, "SID", "root_0");
    assert_epoch(host, "SID", "root_0");

    if (plays_joiner) {
        send_recorded_text(joiner, "p2pchat/1 test msg 1", "hello, p2pchat", 1700000000000);
        session_ping(joiner->session, 7, rig.now_ms);
        joiner->keeps = true;
    }
    exchange(&rig, joiner, host, "packet_J_e0_c0");
    assert_int_equal(party_last(host, SESSION_ITEM)->ordinal, 1);
    send_recorded_text(host, "p2pchat/1 test msg 2", "gr\xc3\xbc\xc3\x9f dich", 1700000000001);
    exchange(&rig, host, joiner, "packet_H_e0_c0");
    rekey(&rig);
    if (plays_joiner) {
        assert_int_equal(session_suite(joiner->session), suite);
        assert_int_equal(party_last(joiner, SESSION_ACKED)->ordinal, 1);
        assert_int_equal(party_last(joiner, SESSION_PONG)->token, 7);
        assert_int_equal(party_last(joiner, SESSION_ITEM)->ordinal, 1);
        assert_int_equal(party_last(joiner, SESSION_REKEYED)->epoch, 1);
        session_acknowledge(joiner->session, 1);
    }
    exchange(&rig, joiner, host, "packet_J_e1_c0");
    session_close(host->session, CLOSE_NORMAL, rig.now_ms);
    exchange(&rig, host, joiner, "packet_H_e1_c0_CLOSE");
    if (plays_joiner) {
        assert_true(party_last(joiner, SESSION_ENDED)->by_peer);
        assert_int_equal(party_last(joiner, SESSION_ENDED)->code, CLOSE_NORMAL);
    }
    assert_int_equal(fake_random_left(), 0);
    assert_int_equal(recorded.used, recorded.count);
    rig_deinit(&rig);
}

static void test_whole_conversation_is_reproduced_byte_for_byte(void **state)
{
    (void)state;
    play(&suite_1, true, SUITE_CLASSIC);
}

static void test_host_without_suite_2_answers_one_that_offers_both(void **state)
{
    (void)state;
    play(&suite_1_of_2, false, SUITE_CLASSIC);
}

static void test_joiner_that_offers_both_goes_on_with_suite_1(void **state)
{
    (void)state;
    need_kem();
    play(&suite_1_of_2, true, SUITE_CLASSIC);
}

static void test_whole_conversation_in_suite_2_is_reproduced_byte_for_byte(void **state)
{
    (void)state;
    need_kem();
    play(&suite_2, true, SUITE_HYBRID);
}

/* Every stage of the key schedule is the recorded one. */
static void check_stages(const struct recording *recording)
{
    static struct rig rig;
    const struct handshake *handshake;
    start_with_invite(&rig, recording, true);
    rig.host.asks = true;
    exchange(&rig, &rig.joiner, &rig.host, "frame_HELLO_J");
    handshake = rig.host.session->handshake;
    assert_memory_equal(handshake->hash, vector("T2").data, SHA256_SIZE);
    assert_memory_equal(handshake->secrets.hs.bytes, vector("HS").data, SECRET_SIZE);
    assert_memory_equal(handshake->secrets.seal[SIDE_JOINER].bytes, vector("hs_joiner").data,
                        SECRET_SIZE);
    assert_memory_equal(handshake->secrets.seal[SIDE_HOST].bytes, vector("hs_host").data,
                        SECRET_SIZE);
    exchange(&rig, &rig.host, &rig.joiner, "frame_HELLO_H");
    exchange(&rig, &rig.joiner, &rig.host, "frame_IDENT");
    assert_memory_equal(handshake->hash, vector("T3").data, SHA256_SIZE);
    session_admit(rig.host.session, true, rig.now_ms);
    assert_memory_equal(handshake->hash, vector("T4").data, SHA256_SIZE);
    assert_memory_equal(handshake->secrets.ms.bytes, vector("MS").data, SECRET_SIZE);
    assert_memory_equal(handshake->secrets.confirm[SIDE_JOINER].bytes,
                        vector("confirm_joiner").data, SECRET_SIZE);
    assert_memory_equal(handshake->secrets.confirm[SIDE_HOST].bytes, vector("confirm_host").data,
                        SECRET_SIZE);
    exchange(&rig, &rig.host, &rig.joiner, "frame_KEY");
    exchange(&rig, &rig.joiner, &rig.host, "frame_CONFIRM_J");
    assert_memory_equal(handshake->hash, vector("T5").data, SHA256_SIZE);
    rig_deinit(&rig);
}

static void test_every_stage_of_the_key_schedule_is_the_recorded_one(void **state)
{
    (void)state;
    check_stages(&suite_1);
}

static void test_every_stage_is_the_recorded_one_in_suite_2(void **state)
{
    (void)state;
    need_kem();
    check_stages(&suite_1_of_2);
    check_stages(&suite_2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_conversation_is_reproduced_byte_for_byte),
        cmocka_unit_test(test_host_without_suite_2_answers_one_that_offers_both),
        cmocka_unit_test(test_joiner_that_offers_both_goes_on_with_suite_1),
        cmocka_unit_test(test_whole_conversation_in_suite_2_is_reproduced_byte_for_byte),
        cmocka_unit_test(test_every_stage_of_the_key_schedule_is_the_recorded_one),
        cmocka_unit_test(test_every_stage_is_the_recorded_one_in_suite_2),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
