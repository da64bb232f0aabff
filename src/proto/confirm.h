/* SPDX-License-Identifier: ISC */
/*
 * CONFIRM_J and CONFIRM_H: the proof that both sides saw the same handshake and derived the same
 * keys.
 *
 *     0   1  flags: bit 0 = I have approved your identity
 *     1  32  combined checksum of both identities
 *    33  32  HMAC(confirm key of the sender, transcript || flags || checksum)
 */
#pragma once

#include "base/outcome.h"
#include "crypto/digest.h"
#include "crypto/kdf.h"
#include "proto/safety_number.h"

enum { CONFIRM_SIZE = 1 + CHECKSUM_SIZE + HMAC_SIZE };

enum confirm_outcome {
    CONFIRM_MALFORMED = OUTCOME_CONFIRM, /* unknown flags */
    CONFIRM_FORGED,                      /* other identities or other keys */
};

/* Writes the message. 0 or -EIO. */
int confirm_make(const struct secret *key, const uint8_t transcript[static SHA256_SIZE],
                 const uint8_t checksum[static CHECKSUM_SIZE], bool approved,
                 uint8_t message[static CONFIRM_SIZE]);

/* Checks the other side's message in constant time, reads its flag. 0, confirm_outcome or -EIO. */
int confirm_check(const struct secret *key, const uint8_t transcript[static SHA256_SIZE],
                  const uint8_t checksum[static CHECKSUM_SIZE],
                  const uint8_t message[static CONFIRM_SIZE], bool *approved);
