/* SPDX-License-Identifier: ISC */
/*
 * Ephemeral key agreement: X25519 (RFC 7748).
 */
#pragma once

#include <stdint.h>

#include "base/outcome.h"
#include "crypto/secret.h"

enum { KEYX_SIZE = 32 };

/* One ephemeral pair; wipe it after use. */
struct keyx {
    struct secret private_key;
    uint8_t public_key[KEYX_SIZE];
};

enum keyx_outcome {
    KEYX_DEGENERATE = OUTCOME_KEYX, /* a point of low order came: no secret would be shared */
};

/* A fresh pair whose private key is 32 bytes of random_bytes(). 0 or -EIO. */
int keyx_generate(struct keyx *keyx);

/* The shared secret with the other side's public key. 0, KEYX_DEGENERATE or -EIO. */
int keyx_derive(const struct keyx *keyx, const uint8_t other[static KEYX_SIZE],
                struct secret *shared);

/* Wipes the pair; a wiped pair may be wiped again. */
void keyx_wipe(struct keyx *keyx);
