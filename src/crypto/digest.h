/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 and SHA-512 (FIPS 180-4), at once or running.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"

enum { SHA256_SIZE = 32, SHA512_SIZE = 64 };

/* The hash of the concatenated parts. 0 or -EIO. */
int sha256(const struct span *parts, size_t count, uint8_t hash[static SHA256_SIZE]);
int sha512(const struct span *parts, size_t count, uint8_t hash[static SHA512_SIZE]);

/* A running SHA-256 whose value may be read on the way. */
struct sha256_state;

/* 0, -ENOMEM or -EIO. Release with sha256_state_free(); NULL is allowed there. */
int sha256_state_new(struct sha256_state **state);
void sha256_state_free(struct sha256_state *state);
int sha256_state_add(struct sha256_state *state, struct span part);

/* The hash of everything added so far; more may be added afterwards. 0 or -EIO. */
int sha256_state_value(const struct sha256_state *state, uint8_t hash[static SHA256_SIZE]);
