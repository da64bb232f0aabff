/* SPDX-License-Identifier: ISC */
/*
 * HMAC-SHA-256 (RFC 2104), HKDF-SHA-256 (RFC 5869) and scrypt (RFC 7914).
 */
#pragma once

#include "base/bytes.h"
#include "crypto/secret.h"

enum { HMAC_SIZE = 32 };

/* HMAC over the concatenated parts. 0 or -EIO. */
int hmac_sha256(struct span key, const struct span *parts, size_t count,
                uint8_t mac[static HMAC_SIZE]);

/* HKDF-Extract(salt, ikm). 0 or -EIO. */
int hkdf_extract(struct span salt, struct span ikm, struct secret *prk);

/* HKDF-Expand(prk, info = the concatenated parts, L = 32). 0 or -EIO. */
int hkdf_expand(const struct secret *prk, const struct span *info, size_t count,
                struct secret *okm);

/* A PRK that is expanded often: what hkdf_expand() gives, in a third of the time. */
struct hkdf;
int hkdf_new(struct hkdf **hkdf, const struct secret *prk); /* 0 or -EIO */
void hkdf_free(struct hkdf *hkdf);
int hkdf_next(struct hkdf *hkdf, const struct span *info, size_t count, struct secret *okm);

/*
 * A key from a passphrase (UTF-8, without a NUL), with r = 8, p = 1 and N = 2^log2_n: it takes
 * 2^(log2_n
 * + 10) bytes of memory, at most 256 MiB. 0 or -EIO.
 */
int scrypt(const char *passphrase, struct span salt, unsigned log2_n, struct secret *key);
