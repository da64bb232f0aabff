/* SPDX-License-Identifier: ISC */
/*
 * The clear first frames. The joiner offers, the host chooses:
 *
 *     HELLO_J                                  HELLO_H
 *      0   8  "p2pchat\0"                       0   8  "p2pchat\0"
 *      8   1  lowest version                    8   1  version
 *      9   1  highest version                   9   1  zero
 *     10   2  suites, bit s-1 for suite s      10   2  suite, a number
 *     12  32  random                           12  32  random
 *     44  32  X25519 key                       44  32  X25519 key
 *     76   2  length of the ML-KEM key         76   2  length of the ML-KEM ciphertext
 *     78   n  ML-KEM key, with suite 2         78   n  ML-KEM ciphertext, with suite 2
 *      .   2  length of extensions              .   2  length of extensions
 *      .   m  u16 type, u16 length, value …     .   m  the same
 *
 * We speak version 1 and suite 1. A joiner's suite 2 and extensions must be well formed and are
 * ignored.
 */
#pragma once

#include "base/bytes.h"
#include "base/outcome.h"
#include "crypto/keyx.h"

enum { HELLO_RANDOM_SIZE = 32, HELLO_SIZE_PLAIN = 80 };

enum hello_outcome {
    HELLO_MALFORMED = OUTCOME_HELLO,
    HELLO_UNSUPPORTED, /* well formed, but no version or suite in common */
};

/* What either side contributes to the key exchange. */
struct hello {
    uint8_t random[HELLO_RANDOM_SIZE];
    uint8_t x25519[KEYX_SIZE];
};

/* The frame bodies that we send. */
void hello_joiner_encode(const struct hello *hello, uint8_t body[static HELLO_SIZE_PLAIN]);
void hello_host_encode(const struct hello *hello, uint8_t body[static HELLO_SIZE_PLAIN]);

/* Reads a joiner's offer, of which version 1 and suite 1 are chosen. 0 or a hello_outcome. */
int hello_joiner_parse(struct span body, struct hello *hello);

/* Reads a host's choice, which must be version 1 and suite 1. 0 or HELLO_MALFORMED. */
int hello_host_parse(struct span body, struct hello *hello);
