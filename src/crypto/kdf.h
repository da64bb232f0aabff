/* SPDX-License-Identifier: ISC */
/*
 * HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869).
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
