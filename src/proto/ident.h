/* SPDX-License-Identifier: ISC */
/*
 * The sealed frames that carry the identities.
 *
 *     IDENT (joiner, 1152 bytes)               KEY (host, 1664 bytes)
 *      0   4  features                          0   4  features
 *      4  16  invite id, zero if none           4   2  L = length of the key
 *     20  32  invite MAC, zero if none          6   L  key (SPKI)
 *     52   2  L = length of the key             .   2  length of the wrapped secret
 *     54   L  key (SPKI)                        .   .  wrapped secret, for the joiner's key
 *      .   .  signature of all that             .   .  signature of all that
 *      .   .  zeros                             .   .  zeros
 *
 * Only the layout is known here. Whether the key is a key and the signature right comes later, in
 * an order that matters.
 */
#pragma once

#include "base/outcome.h"
#include "crypto/pubkey.h"
#include "proto/invite_proof.h"

enum {
    IDENT_SIZE = 1152,
    KEY_SIZE = 1664,
    IDENT_PREFIX_MAX = 54 + PUBKEY_SPKI_MAX,
    KEY_PREFIX_MAX = 8 + PUBKEY_SPKI_MAX + PUBKEY_MODULUS_MAX,
};

enum ident_outcome {
    IDENT_MALFORMED = OUTCOME_IDENT,
};

/* What IDENT says; everything is borrowed from the plaintext. */
struct ident {
    uint32_t features;
    const uint8_t *invite_id;  /* INVITE_ID_SIZE bytes */
    const uint8_t *invite_mac; /* INVITE_MAC_SIZE bytes */
    struct span spki;
    struct span prefix; /* what is signed */
    struct span signature;
};

/* What KEY says. */
struct key_message {
    uint32_t features;
    struct span spki;
    struct span wrapped;
    struct span prefix; /* what is signed */
    struct span signature;
};

/* Writes what is to be signed, but for its signature; an invite of NULL is none. Returns the size.
 */
size_t ident_encode(const struct ident *ident, uint8_t prefix[static IDENT_PREFIX_MAX]);

/* The same for KEY. */
size_t key_message_encode(const struct key_message *key, uint8_t prefix[static KEY_PREFIX_MAX]);

/* 0 or IDENT_MALFORMED, when lengths don't fit each other or padding is not zero. */
int ident_parse(struct span plaintext, struct ident *ident);
int key_message_parse(struct span plaintext, size_t wrapped_size, struct key_message *key);
