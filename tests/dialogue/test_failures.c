/* SPDX-License-Identifier: ISC */
/*
 * Everything a session calls fails once, at every place where it is called: no memory, no
 * randomness, no cryptography. Each time the session must end with all keys wiped or not have
 * needed it, and never fall back to anything weaker.
 */
#include <errno.h>
#include <stdlib.h>

#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "dialogue/fixture.h"

/* The call that fails, counted from 1; 0 for none. */
static struct {
    unsigned count;
    unsigned failing;
    bool armed;
} calls;

static bool fails_now(void)
{
    return calls.armed && ++calls.count == calls.failing;
}

/* Each wrapped function is declared, called through, and made to fail with its own error. */
#define WRAP(function, error, parameters, arguments)                \
    int __real_##function parameters;                               \
    int __wrap_##function parameters;                               \
    int __wrap_##function parameters                                \
    {                                                               \
        return fails_now() ? (error) : __real_##function arguments; \
    }

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

WRAP(random_bytes, -EIO, (void *out, size_t size), (out, size))
WRAP(sha256, -EIO, (const struct span *parts, size_t count, uint8_t *hash), (parts, count, hash))
WRAP(sha256_state_new, -ENOMEM, (struct sha256_state * *state), (state))
WRAP(sha256_state_add, -EIO, (struct sha256_state * state, struct span part), (state, part))
WRAP(hmac_sha256, -EIO, (struct span key, const struct span *parts, size_t count, uint8_t *mac),
     (key, parts, count, mac))
WRAP(hkdf_extract, -EIO, (struct span salt, struct span ikm, struct secret *prk), (salt, ikm, prk))
WRAP(hkdf_expand, -EIO,
     (const struct secret *prk, const struct span *info, size_t count, struct secret *okm),
     (prk, info, count, okm))
WRAP(keyx_derive, -EIO, (const struct keyx *keyx, const uint8_t *other, struct secret *shared),
     (keyx, other, shared))
WRAP(aead_seal, -EIO,
     (const struct secret *key, const uint8_t *iv, struct span aad, struct span plaintext,
      uint8_t *out),
     (key, iv, aad, plaintext, out))
WRAP(aead_open, -EIO,
     (const struct secret *key, const uint8_t *iv, struct span aad, struct span sealed,
      uint8_t *out),
     (key, iv, aad, sealed, out))
WRAP(pubkey_new, -ENOMEM, (struct pubkey * *key, struct span spki), (key, spki))
WRAP(pubkey_verify, -EIO,
     (const struct pubkey *key, enum signature_purpose purpose, const struct span *parts,
      size_t count, struct span signature),
     (key, purpose, parts, count, signature))
WRAP(pubkey_wrap, -EIO, (const struct pubkey *key, const struct secret *secret, uint8_t *out),
     (key, secret, out))
WRAP(identity_sign, -EIO,
     (const struct identity *identity, enum signature_purpose purpose, const struct span *parts,
      size_t count, uint8_t *signature),
     (identity, purpose, parts, count, signature))
WRAP(identity_unwrap, -EIO,
     (const struct identity *identity, struct span wrapped, const struct secret *fallback,
      struct secret *secret),
     (identity, wrapped, fallback, secret))

/* The bytes that one end has ready, without the rig's own use of memory. */
static bool say(struct party *from, struct bytes *wire)
{
    calls.armed = true;
    bytes_clear(wire);
    session_output(from->session, wire, RIG_START_MS);
    calls.armed = false;
    return wire->size > 0;
}

static void hear(struct party *to, const struct bytes *wire)
{
    calls.armed = true;
    party_hear(to, bytes_span(wire), 0, RIG_START_MS);
    party_listen(to, RIG_START_MS);
    calls.armed = false;
}

static void converse(struct bytes *wire)
{
    for (unsigned idle = 0; idle < 2;) {
        idle++;
        if (say(&rig.joiner, wire)) {
            hear(&rig.host, wire);
            idle = 0;
        }
        if (say(&rig.host, wire)) {
            hear(&rig.joiner, wire);
            idle = 0;
        }
    }
}

/* Whether the owner got through all of its calls. */
static bool use_session(struct bytes *wire)
{
    int r;
    converse(wire);
    if (session_phase(rig.joiner.session) != SESSION_OPEN)
        return false;
    calls.armed = true;
    r = party_send_text(&rig.joiner, "hello", 1, RIG_START_MS);
    calls.armed = false;
    assert_true(r == 0 || r == -ENOMEM);
    session_ping(rig.joiner.session, 1, RIG_START_MS);
    if (session_phase(rig.host.session) == SESSION_OPEN) {
        calls.armed = true;
        r = epoch_start_rekey(&rig.host.session->epoch, RIG_START_MS);
        calls.armed = false;
        assert_true(r == 0 || r == -EIO);
    }
    converse(wire);
    return r == 0;
}

/* A session that ended has no keys left, and has said so to its owner. */
static void assert_sound(struct party *party)
{
    const struct session_event *event;
    if (session_phase(party->session) != SESSION_CLOSED)
        return;
    assert_null(party->session->handshake);
    assert_true(bytes_all_zero((const uint8_t *)&party->session->epoch, sizeof(struct epoch)));
    party_listen(party, RIG_START_MS);
    assert_int_equal(party_count(party, SESSION_ENDED), 1);
    event = party_last(party, SESSION_ENDED);
    /* A side that failed between key and packet leaves a gap that the other end takes for an
     * attack. */
    if (event->code != CLOSE_PROTOCOL_ERROR || event->by_peer)
        assert_int_equal(event->code, CLOSE_INTERNAL_ERROR);
}

static void test_every_failure_ends_the_session_soundly(void **state)
{
    struct bytes wire = {0};
    unsigned harmless = 0, failing = 1;
    (void)state;
    assert_int_equal(bytes_reserve(&wire, 262144), 0);
    for (;; failing++) {
        bool finished;
        calls.failing = failing;
        calls.count = 0;
        rig_init(&rig);
        finished = use_session(&wire);
        assert_sound(&rig.joiner);
        assert_sound(&rig.host);
        if (finished && session_phase(rig.joiner.session) == SESSION_OPEN &&
            session_phase(rig.host.session) == SESSION_OPEN) {
            assert_int_equal(party_count(&rig.joiner, SESSION_REKEYED), 1);
            harmless++;
        }
        rig_deinit(&rig);
        if (calls.count < failing)
            break;
    }
    /* Hundreds of calls can fail; only the loss of an item's record is survived. */
    assert_true(failing > 200);
    assert_in_range(harmless, 1, 5);
    bytes_deinit(&wire);
}

static void test_start_without_randomness_or_memory_fails(void **state)
{
    const struct session_settings settings = {.role = SESSION_JOINER,
                                              .self = party_identity(SESSION_JOINER)};
    struct session *session = NULL;
    int r = -1;
    (void)state;
    for (calls.failing = 1; r != 0; calls.failing++) {
        calls.count = 0;
        calls.armed = true;
        r = session_new(&session, &settings, RIG_START_MS);
        calls.armed = false;
        assert_int_equal(r == 0, session != NULL);
    }
    assert_true(calls.failing > 4);
    session_free(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_failure_ends_the_session_soundly),
        cmocka_unit_test(test_start_without_randomness_or_memory_fails),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
