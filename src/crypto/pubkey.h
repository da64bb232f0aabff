/* SPDX-License-Identifier: ISC */
/*
 * RSA public keys of peers: recognised byte for byte, never parsed.
 *
 * A key arrives as SubjectPublicKeyInfo DER from somebody who is not yet known. Only three
 * encodings are legal (2048, 3072 and 4096 bits, e = 65537), so header and trailer are compared
 * with a template and the modulus is imported as a number; no ASN.1 parser ever sees it.
 */
#pragma once

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/fingerprint.h"
#include "base/outcome.h"
#include "crypto/secret.h"
#include "crypto/signature_purpose.h"

enum {
    PUBKEY_MODULUS_MAX = 512,
    PUBKEY_SPKI_MAX = 550,
};

enum pubkey_outcome {
    PUBKEY_MALFORMED = OUTCOME_PUBKEY, /* none of the three encodings, or no plausible RSA key */
    PUBKEY_FORGED,                     /* the signature is not this key's over these bytes */
};

struct pubkey;

/*
 * Makes a key of exactly these bytes; free it with pubkey_free() (NULL allowed). 0,
 * PUBKEY_MALFORMED or -errno.
 */
int pubkey_new(struct pubkey **key, struct span spki);
void pubkey_free(struct pubkey *key);
DEFINE_CLEANUP(struct pubkey *, pubkey_cleanup, pubkey_free)

/* Properties; what they point to lives as long as the key. */
struct span pubkey_spki(const struct pubkey *key);
size_t pubkey_modulus_size(const struct pubkey *key); /* bytes: 256, 384 or 512 */
const struct fingerprint *pubkey_fingerprint(const struct pubkey *key);

/*
 * The lengths of the legal encodings: the SPKI's for a modulus size and back; 0 where there is
 * none.
 */
size_t pubkey_spki_size(size_t modulus_size);
size_t pubkey_modulus_size_of_spki(size_t spki_size);

/* The slow full check (milliseconds), for a key about to be pinned. 0, PUBKEY_MALFORMED or -EIO. */
int pubkey_check(const struct pubkey *key);

/*
 * Verifies RSASSA-PSS (RFC 8017; SHA-256, MGF1-SHA-256, salt 32) over purpose || parts. 0,
 * PUBKEY_FORGED or -EIO.
 */
int pubkey_verify(const struct pubkey *key, enum signature_purpose purpose,
                  const struct span *parts, size_t count, struct span signature);

/*
 * Encrypts 32 bytes by RSAES-OAEP (RFC 8017; SHA-256, label "p2pchat/1 aes-key") into modulus-size
 * bytes at `out`. 0 or -EIO.
 */
int pubkey_wrap(const struct pubkey *key, const struct secret *secret, uint8_t *out);

/* Appends the key as PEM ("BEGIN PUBLIC KEY"). 0 or -errno. */
int pubkey_export(const struct pubkey *key, struct bytes *pem);
