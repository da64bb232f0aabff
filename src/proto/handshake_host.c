/* SPDX-License-Identifier: ISC */
/*
 * The host's half of the handshake: what it does with HELLO_J and IDENT.
 */
#include <string.h>

#include "base/cleanup.h"
#include "crypto/random.h"
#include "proto/handshake_state.h"
#include "proto/ident.h"

/* The joiner speaks first. */
static int wait_for_hello(struct handshake *handshake, struct bytes *out)
{
    (void)handshake;
    (void)out;
    return 0;
}

/* Answers the joiner's share with ours. */
static int answer_share(struct handshake *handshake, const struct hello *joiner,
                        struct exchange_secret *secret)
{
    int r = random_bytes(handshake->hello.random, HELLO_RANDOM_SIZE);
    if (r == 0)
        r = exchange_answer(handshake->suite, joiner->share, handshake->hello.share, secret);
    return r > 0 ? handshake_fail(handshake, CLOSE_HANDSHAKE_FAILED, "degenerate share") : r;
}

static int parse_hello(struct handshake *handshake, struct span body, struct hello *joiner)
{
    int r = hello_joiner_parse(body, handshake->suites, joiner, &handshake->suite);
    if (r == HELLO_UNSUPPORTED)
        return handshake_fail(handshake, CLOSE_UNSUPPORTED, "no version or suite in common");
    return r == 0 ? 0 : handshake_fail(handshake, CLOSE_PROTOCOL_ERROR, "HELLO_J is malformed");
}

static void keep_names(struct handshake *handshake, const struct hello *joiner)
{
    memcpy(handshake->joiner_random, joiner->random, HELLO_RANDOM_SIZE);
    memcpy(handshake->gone, joiner->gone, joiner->gone_size);
    handshake->gone_size = joiner->gone_size;
}

/* HELLO_H goes out only when the exchange succeeded: before it, the answer may be a clear alert. */
static int take_hello(struct handshake *handshake, struct span body, struct bytes *out)
{
    CLEANUP(exchange_secret_cleanup) struct exchange_secret secret = {0};
    uint8_t answer[FRAME_HEADER_SIZE + HELLO_SIZE_MAX];
    struct frame_header header = {.type = FRAME_HELLO_H};
    struct hello joiner;
    int r = parse_hello(handshake, body, &joiner);
    if (r == 0)
        r = handshake_record(handshake, FRAME_HELLO_J, body);
    if (r == 0)
        r = answer_share(handshake, &joiner, &secret);
    if (r != 0)
        return r;
    header.length = (uint32_t)hello_host_encode(&handshake->hello, handshake->suite,
                                                answer + FRAME_HEADER_SIZE);
    frame_header_put(answer, header);
    r = handshake_record(handshake, FRAME_HELLO_H, SPAN(answer + FRAME_HEADER_SIZE, header.length));
    if (r == 0)
        r = handshake_agree(handshake, &joiner, &secret);
    if (r == 0)
        keep_names(handshake, &joiner);
    if (r == 0)
        r = bytes_append(out, answer, FRAME_HEADER_SIZE + header.length);
    if (r == 0)
        handshake_enter(handshake, HANDSHAKE_WAIT_IDENTITY);
    return r;
}

static void keep_invite(struct handshake *handshake, const struct ident *ident)
{
    struct handshake_invite *invite = &handshake->invite;
    invite->shown = !bytes_all_zero(ident->invite_id, INVITE_ID_SIZE);
    memcpy(invite->id, ident->invite_id, INVITE_ID_SIZE);
    memcpy(invite->mac, ident->invite_mac, INVITE_MAC_SIZE);
    memcpy(invite->transcript, handshake->hash, SHA256_SIZE);
}

static int take_ident(struct handshake *handshake, struct span plaintext)
{
    struct ident ident;
    int r;
    if (ident_parse(plaintext, &ident) != 0)
        return handshake_fail(handshake, CLOSE_PROTOCOL_ERROR, "IDENT is malformed");
    r = handshake_authenticate(handshake, ident.spki, SIGNATURE_IDENT, ident.prefix,
                               ident.signature);
    if (r != 0)
        return r;
    keep_invite(handshake, &ident);
    handshake->peer_features = ident.features;
    r = handshake_record(handshake, FRAME_IDENT, plaintext);
    if (r == 0)
        handshake_enter(handshake, HANDSHAKE_ASK_ADMISSION);
    return r;
}

/* Shows our identity and hands over a secret that only the joiner's RSA key can unwrap. */
static int send_key(struct handshake *handshake, struct bytes *out)
{
    CLEANUP(secret_cleanup) struct secret transported;
    uint8_t wrapped[PUBKEY_MODULUS_MAX], plaintext[KEY_SIZE] = {0};
    const struct key_message key = {
        .features = handshake->features,
        .spki = pubkey_spki(identity_pubkey(handshake->self)),
        .wrapped = SPAN(wrapped, pubkey_modulus_size(handshake->peer)),
    };
    int r = random_bytes(transported.bytes, sizeof transported.bytes);
    if (r == 0)
        r = pubkey_wrap(handshake->peer, &transported, wrapped);
    if (r == 0)
        r = handshake_sign(handshake, SIGNATURE_KEY, plaintext,
                           key_message_encode(&key, plaintext));
    if (r == 0)
        r = handshake_record(handshake, FRAME_KEY, SPAN(plaintext, sizeof plaintext));
    if (r == 0)
        r = keyschedule_mix(&handshake->secrets, handshake->hash, &transported);
    /* Last, so that nothing is sent by a step that fails. */
    if (r == 0)
        r = seal_frame(&handshake->sending, FRAME_KEY, SPAN(plaintext, sizeof plaintext), out);
    return r;
}

const struct handshake_role handshake_host = {
    .name = "host",
    .ours = SIDE_HOST,
    .hello = FRAME_HELLO_J,
    .identity = FRAME_IDENT,
    .confirm = FRAME_CONFIRM_J,
    .confirms_last = true,
    .start = wait_for_hello,
    .take_hello = take_hello,
    .take_identity = take_ident,
    .admit = send_key,
};
