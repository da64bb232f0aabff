/*
 * The joiner's half of the handshake: what it does with HELLO_H and KEY.
 */
#include <string.h>

#include "base/cleanup.h"
#include "crypto/random.h"
#include "proto/handshake_state.h"
#include "proto/ident.h"

/* Shows our identity, and the invite if we hold one. */
static int send_ident(struct handshake *handshake, struct bytes *out)
{
    const struct pubkey *self = identity_pubkey(handshake->self);
    struct ident ident = {.spki = pubkey_spki(self)};
    uint8_t id[INVITE_ID_SIZE], mac[INVITE_MAC_SIZE], plaintext[IDENT_SIZE] = {0};
    int rc = 0;

    if (handshake->invite_secret != NULL) {
        rc = invite_proof_id(handshake->invite_secret, id);
        if (rc == 0)
            rc = invite_proof_mac(handshake->invite_secret, handshake->hash,
                                  pubkey_fingerprint(self), mac);
        ident.invite_id = id;
        ident.invite_mac = mac;
    }
    if (rc == 0)
        rc = handshake_sign(handshake, SIGNATURE_IDENT, plaintext, ident_encode(&ident, plaintext));
    if (rc == 0)
        rc = handshake_send(handshake, FRAME_IDENT, SPAN(plaintext, sizeof plaintext), out);
    return rc;
}

static int take_hello(struct handshake *handshake, struct span body, struct bytes *out)
{
    struct hello host;
    int rc;

    if (hello_host_parse(body, &host) != 0)
        return handshake_fail(handshake, CLOSE_PROTOCOL_ERROR, "HELLO_H is malformed");
    rc = handshake_record(handshake, FRAME_HELLO_H, body);
    if (rc == 0)
        rc = handshake_exchange(handshake, &host);
    if (rc == 0)
        rc = send_ident(handshake, out);
    if (rc == 0)
        handshake_enter(handshake, HANDSHAKE_WAIT_IDENTITY);
    return rc;
}

static int take_key(struct handshake *handshake, struct span plaintext)
{
    size_t wrapped_size = pubkey_modulus_size(identity_pubkey(handshake->self));
    struct key_message key;
    int rc;

    if (key_message_parse(plaintext, wrapped_size, &key) != 0)
        return handshake_fail(handshake, CLOSE_PROTOCOL_ERROR, "KEY is malformed");
    rc = handshake_authenticate(handshake, key.spki, SIGNATURE_KEY, key.prefix, key.signature);
    if (rc == 0)
        rc = handshake_record(handshake, FRAME_KEY, plaintext);
    if (rc != 0)
        return rc;
    memcpy(handshake->wrapped, key.wrapped.data, wrapped_size);
    handshake_enter(handshake, HANDSHAKE_ASK_ADMISSION);
    return 0;
}

int handshake_joiner_take(struct handshake *handshake, enum frame_type type, struct span plaintext,
                          struct bytes *out)
{
    return type == FRAME_HELLO_H ? take_hello(handshake, plaintext, out)
                                 : take_key(handshake, plaintext);
}

int handshake_joiner_admit(struct handshake *handshake, struct bytes *out)
{
    CLEANUP(secret_cleanup) struct secret fallback;
    CLEANUP(secret_cleanup) struct secret transported;
    size_t wrapped_size = pubkey_modulus_size(identity_pubkey(handshake->self));
    uint8_t message[CONFIRM_SIZE];
    int rc = random_bytes(fallback.bytes, sizeof fallback.bytes);

    /* A bad wrapping goes on with a secret nobody else knows and fails only at CONFIRM_H. */
    if (rc == 0)
        rc = identity_unwrap(handshake->self, SPAN(handshake->wrapped, wrapped_size), &fallback,
                             &transported);
    if (rc == 0)
        rc = keyschedule_mix(&handshake->secrets, handshake->hash, &transported);
    if (rc == 0)
        rc = handshake_make_confirm(handshake, message);
    if (rc == 0)
        rc = handshake_send(handshake, FRAME_CONFIRM_J, SPAN(message, sizeof message), out);
    return rc;
}
