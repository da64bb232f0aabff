/* SPDX-License-Identifier: ISC */
/*
 * A peer who lies in the handshake: it says what a true one would say, but for changes made before
 * it signs and seals, or between signing and sealing. Nobody comes in by what was not signed.
 *
 *     input: bit 0 the liar's role; then changes: which message and when (1 byte), place (2 bytes),
 *     bits to flip (1 byte)
 */
#include <string.h>

#include "dialogue/party.h"
#include "fuzz/fuzz.h"
#include "proto/handshake_state.h"
#include "proto/ident.h"
#include "unit/fake_random.h"

size_t __real_hello_joiner_encode(const struct hello *hello, unsigned suites, uint8_t *body);
size_t __real_hello_host_encode(const struct hello *hello, enum suite suite, uint8_t *body);
int __real_handshake_sign(struct handshake *handshake, enum signature_purpose purpose,
                          uint8_t *plaintext, size_t prefix_size);
int __real_seal_frame(struct seal *seal, enum frame_type type, struct span plaintext,
                      struct bytes *out);
size_t __wrap_hello_joiner_encode(const struct hello *hello, unsigned suites, uint8_t *body);
size_t __wrap_hello_host_encode(const struct hello *hello, enum suite suite, uint8_t *body);
int __wrap_handshake_sign(struct handshake *handshake, enum signature_purpose purpose,
                          uint8_t *plaintext, size_t prefix_size);
int __wrap_seal_frame(struct seal *seal, enum frame_type type, struct span plaintext,
                      struct bytes *out);

enum { START_MS = 1000000 };

/* What is changed, and when. */
enum lie { LIE_HELLO, LIE_SIGNED, LIE_IDENTITY, LIE_CONFIRM, LIE_KINDS };

static struct {
    struct span changes;
    bool speaking;        /* it is the liar who makes a message */
    bool lied[LIE_KINDS]; /* something is not what it was */
    struct handshake *handshake;
    struct bytes out;
} liar;

static void change(enum lie lie, uint8_t *text, size_t size)
{
    struct reader changes = reader_of(liar.changes);
    while (liar.speaking && changes.left >= 4) {
        bool now = reader_u8(&changes) % LIE_KINDS == (unsigned)lie;
        size_t place = reader_u16(&changes);
        uint8_t bits = reader_u8(&changes);
        if (now && place < size)
            text[place] ^= bits;
    }
}

/* The linker puts these before the real ones. */
size_t __wrap_hello_joiner_encode(const struct hello *hello, unsigned suites, uint8_t *body)
{
    size_t size = __real_hello_joiner_encode(hello, suites, body);
    change(LIE_HELLO, body, size);
    return size;
}

size_t __wrap_hello_host_encode(const struct hello *hello, enum suite suite, uint8_t *body)
{
    size_t size = __real_hello_host_encode(hello, suite, body);
    change(LIE_HELLO, body, size);
    return size;
}

int __wrap_handshake_sign(struct handshake *handshake, enum signature_purpose purpose,
                          uint8_t *plaintext, size_t prefix_size)
{
    change(LIE_SIGNED, plaintext, prefix_size);
    return __real_handshake_sign(handshake, purpose, plaintext, prefix_size);
}

int __wrap_seal_frame(struct seal *seal, enum frame_type type, struct span plaintext,
                      struct bytes *out)
{
    bool confirms = type == FRAME_CONFIRM_J || type == FRAME_CONFIRM_H;
    enum lie lie = confirms ? LIE_CONFIRM : LIE_IDENTITY;
    uint8_t changed[KEY_SIZE];
    memcpy(changed, plaintext.data, plaintext.size);
    change(lie, changed, plaintext.size);
    liar.lied[lie] |= memcmp(changed, plaintext.data, plaintext.size) != 0;
    return __real_seal_frame(seal, type, SPAN(changed, plaintext.size), out);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    party_set_up();
    return 0;
}

/* Takes the victim's next frame; whether the liar can go on. */
static bool respond(struct span frame)
{
    struct frame_header header = frame_header_get(frame.data);
    struct span body = SPAN(frame.data + FRAME_HEADER_SIZE, header.length);
    struct handshake *handshake = liar.handshake;
    struct epoch_secrets secrets;
    uint8_t sid[SHA256_SIZE];
    int r = header.type == FRAME_ALERT ? 1 : handshake_judge(handshake, header);
    if (r == 0)
        r = handshake_take(handshake, header, body, &liar.out);
    if (r == 0 && handshake_asks_admission(handshake))
        r = handshake_admit(handshake, true, &liar.out);
    if (r == 0 && handshake_asks_establishment(handshake))
        r = handshake_finish(handshake, &liar.out, sid, &secrets);
    return r == 0;
}

/* Lets the victim hear the liar, and the liar the victim. */
static bool exchange(struct party *victim)
{
    liar.speaking = false;
    party_hear(victim, bytes_span(&liar.out), 0, START_MS);
    bytes_clear(&liar.out);
    bytes_clear(&victim->sent);
    party_speak(victim, START_MS);
    liar.speaking = true;
    return victim->sent.size > 0 && respond(bytes_span(&victim->sent));
}

static void judge(const struct party *victim, enum session_role role)
{
    const struct pubkey *peer = session_peer(victim->session);
    if (liar.lied[LIE_IDENTITY])
        assert(victim->identified == 0);
    if (liar.lied[LIE_CONFIRM])
        assert(victim->confirmed == 0);
    if (peer != NULL)
        assert(fingerprint_equal(pubkey_fingerprint(peer),
                                 pubkey_fingerprint(identity_pubkey(party_identity(role)))));
    if (liar.changes.size < 4)
        assert(victim->opened == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum session_role role = size > 0 && data[0] & 1 ? SESSION_HOST : SESSION_JOINER;
    const struct session_settings settings = {.role = role, .self = party_identity(role)};
    struct party victim;
    fake_random_reset();
    memset(&liar, 0, sizeof liar);
    if (size > 0)
        liar.changes = SPAN(data + 1, size - 1);
    party_init(&victim, role == SESSION_HOST ? SESSION_JOINER : SESSION_HOST, START_MS);
    liar.speaking = true;
    assert(handshake_new(&liar.handshake, &settings, &liar.out) == 0);
    while (exchange(&victim))
        ;
    judge(&victim, role);
    handshake_free(liar.handshake);
    bytes_deinit(&liar.out);
    party_deinit(&victim);
    return 0;
}
