/* SPDX-License-Identifier: ISC */
/*
 * The joiner's half of the handshake: what it does with HELLO_H and KEY.
 */
#include <string.h>

#include "base/cleanup.h"
#include "crypto/random.h"
#include "proto/handshake_state.h"
#include "proto/ident.h"

static int send_hello(struct handshake *handshake, struct bytes *out)
{
    const bool hybrid = (handshake->suites & SUITE_BIT(SUITE_HYBRID)) != 0;
    uint8_t frame[FRAME_HEADER_SIZE + HELLO_SIZE_MAX];
    struct frame_header header = {.type = FRAME_HELLO_J};
    int r = random_bytes(handshake->hello.random, HELLO_RANDOM_SIZE);
    if (r == 0)
        r = exchange_offer(&handshake->exchange, hybrid ? SUITE_HYBRID : SUITE_CLASSIC,
                           handshake->hello.share);
    if (r == 0 && handshake->former != NULL) {
        r = gone_encode(handshake->former, handshake->hello.random, handshake->hello.gone);
        handshake->hello.gone_size = GONE_SIZE;
        handshake->former = NULL;
    }
    if (r != 0)
        return r;
    header.length = (uint32_t)hello_joiner_encode(&handshake->hello, handshake->suites,
                                                  frame + FRAME_HEADER_SIZE);
    frame_header_put(frame, header);
    r = handshake_record(handshake, FRAME_HELLO_J, SPAN(frame + FRAME_HEADER_SIZE, header.length));
    return r == 0 ? bytes_append(out, frame, FRAME_HEADER_SIZE + header.length) : r;
}

/* Shows our identity, and the invite if we hold one. */
static int send_ident(struct handshake *handshake, struct bytes *out)
{
    const struct pubkey *self = identity_pubkey(handshake->self);
    struct ident ident = {.features = handshake->features, .spki = pubkey_spki(self)};
    uint8_t id[INVITE_ID_SIZE], mac[INVITE_MAC_SIZE], plaintext[IDENT_SIZE] = {0};
    int r = 0;
    if (handshake->invite_secret != NULL) {
        r = invite_proof_id(handshake->invite_secret, id);
        if (r == 0)
            r = invite_proof_mac(handshake->invite_secret, handshake->hash,
                                 pubkey_fingerprint(self), mac);
        ident.invite_id = id;
        ident.invite_mac = mac;
    }
    if (r == 0)
        r = handshake_sign(handshake, SIGNATURE_IDENT, plaintext, ident_encode(&ident, plaintext));
    if (r == 0)
        r = handshake_send(handshake, FRAME_IDENT, SPAN(plaintext, sizeof plaintext), out);
    return r;
}

static int finish_exchange(struct handshake *handshake, const struct hello *host)
{
    CLEANUP(exchange_secret_cleanup) struct exchange_secret secret = {0};
    int r = exchange_finish(&handshake->exchange, handshake->suite, host->share, &secret);
    exchange_wipe(&handshake->exchange);
    if (r > 0)
        return handshake_fail(handshake, CLOSE_HANDSHAKE_FAILED, "degenerate share");
    return r == 0 ? handshake_agree(handshake, host, &secret) : r;
}

static int take_hello(struct handshake *handshake, struct span body, struct bytes *out)
{
    struct hello host;
    int r;
    if (hello_host_parse(body, handshake->suites, &host, &handshake->suite) != 0)
        return handshake_fail(handshake, CLOSE_PROTOCOL_ERROR, "HELLO_H is malformed");
    r = handshake_record(handshake, FRAME_HELLO_H, body);
    if (r == 0)
        r = finish_exchange(handshake, &host);
    if (r == 0)
        r = send_ident(handshake, out);
    if (r == 0)
        handshake_enter(handshake, HANDSHAKE_WAIT_IDENTITY);
    return r;
}

static int take_key(struct handshake *handshake, struct span plaintext)
{
    size_t wrapped_size = pubkey_modulus_size(identity_pubkey(handshake->self));
    struct key_message key;
    int r;
    if (key_message_parse(plaintext, wrapped_size, &key) != 0)
        return handshake_fail(handshake, CLOSE_PROTOCOL_ERROR, "KEY is malformed");
    r = handshake_authenticate(handshake, key.spki, SIGNATURE_KEY, key.prefix, key.signature);
    if (r == 0)
        r = handshake_record(handshake, FRAME_KEY, plaintext);
    if (r != 0)
        return r;
    handshake->peer_features = key.features;
    memcpy(handshake->wrapped, key.wrapped.data, wrapped_size);
    handshake_enter(handshake, HANDSHAKE_ASK_ADMISSION);
    return 0;
}

static int send_confirm(struct handshake *handshake, struct bytes *out)
{
    CLEANUP(secret_cleanup) struct secret fallback;
    CLEANUP(secret_cleanup) struct secret transported;
    size_t wrapped_size = pubkey_modulus_size(identity_pubkey(handshake->self));
    uint8_t message[CONFIRM_SIZE];
    int r = random_bytes(fallback.bytes, sizeof fallback.bytes);
    /* A bad wrapping goes on with a secret nobody else knows and fails only at CONFIRM_H. */
    if (r == 0)
        r = identity_unwrap(handshake->self, SPAN(handshake->wrapped, wrapped_size), &fallback,
                            &transported);
    if (r == 0)
        r = keyschedule_mix(&handshake->secrets, handshake->hash, &transported);
    if (r == 0)
        r = handshake_make_confirm(handshake, message);
    if (r == 0)
        r = handshake_send(handshake, FRAME_CONFIRM_J, SPAN(message, sizeof message), out);
    return r;
}

const struct handshake_role handshake_joiner = {
    .name = "joiner",
    .ours = SIDE_JOINER,
    .hello = FRAME_HELLO_H,
    .identity = FRAME_KEY,
    .confirm = FRAME_CONFIRM_H,
    .clear_alert_size = FRAME_CLEAR_ALERT_SIZE,
    .start = send_hello,
    .take_hello = take_hello,
    .take_identity = take_key,
    .admit = send_confirm,
};
