/* SPDX-License-Identifier: ISC */
/*
 * AES-256-GCM (NIST SP 800-38D) with 96-bit IV and 128-bit tag.
 */
#pragma once

#include "base/bytes.h"
#include "base/outcome.h"
#include "crypto/secret.h"

enum { AEAD_IV_SIZE = 12, AEAD_TAG_SIZE = 16 };

enum aead_outcome {
    AEAD_FORGED = OUTCOME_AEAD, /* the tag is wrong; nothing of the plaintext was kept */
};

/*
 * Writes plaintext.size bytes of ciphertext and then the tag to `out`, which may be the
 * plaintext's place. 0 or -EIO.
 */
int aead_seal(const struct secret *key, const uint8_t iv[static AEAD_IV_SIZE], struct span aad,
              struct span plaintext, uint8_t *out);

/*
 * Opens `sealed` (ciphertext and tag, size >= AEAD_TAG_SIZE) into `out` (sealed.size -
 * AEAD_TAG_SIZE bytes; may be the same place). 0, AEAD_FORGED (out is wiped) or -EIO.
 */
int aead_open(const struct secret *key, const uint8_t iv[static AEAD_IV_SIZE], struct span aad,
              struct span sealed, uint8_t *out);

/*
 * A key for many messages, which costs most of the time for a short one. It seals and opens as the
 * functions above do. 0 or -EIO.
 */
struct aead_key;
int aead_key_new(struct aead_key **key, const struct secret *secret);
void aead_key_free(struct aead_key *key);
int aead_key_seal(struct aead_key *key, const uint8_t iv[static AEAD_IV_SIZE], struct span aad,
                  struct span plaintext, uint8_t *out);
int aead_key_open(struct aead_key *key, const uint8_t iv[static AEAD_IV_SIZE], struct span aad,
                  struct span sealed, uint8_t *out);
