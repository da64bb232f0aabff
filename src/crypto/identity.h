/* SPDX-License-Identifier: ISC */
/*
 * This machine's own RSA identity: the private key and what it may be used for.
 */
#pragma once

#include "crypto/identity_outcome.h"
#include "crypto/pubkey.h"

enum { IDENTITY_PEM_MAX = 16384, IDENTITY_BITS_DEFAULT = 2048 };

struct identity;

/* Makes a new key pair of 2048, 3072 or 4096 bits (takes 0.1 to 2 s). 0 or -errno. */
int identity_generate(struct identity **identity, unsigned bits);

/* Reads PKCS#8 (or PKCS#1) PEM; passphrase may be NULL. 0, an identity_outcome or -errno. */
int identity_import(struct identity **identity, struct span pem, const char *passphrase);

/*
 * Appends the private key as PKCS#8 PEM, encrypted (PBES2, scrypt N = 2^17, AES-256-CBC) when
 * there is a passphrase. 0 or -errno.
 */
int identity_export(const struct identity *identity, const char *passphrase, struct bytes *pem);

/* Wipes the key; NULL is allowed. */
void identity_free(struct identity *identity);

/* The public half; lives as long as the identity. */
const struct pubkey *identity_pubkey(const struct identity *identity);

/*
 * Signs purpose || parts (see pubkey_verify()) into modulus-size bytes at `signature`. 0 or -EIO.
 */
int identity_sign(const struct identity *identity, enum signature_purpose purpose,
                  const struct span *parts, size_t count, uint8_t *signature);

/*
 * Undoes pubkey_wrap(). What is no valid wrapping of 32 bytes gives `fallback` instead, in the same
 * time and with the same result, so that nobody learns which it was. 0 or -EIO.
 */
int identity_unwrap(const struct identity *identity, struct span wrapped,
                    const struct secret *fallback, struct secret *secret);
