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
 * We speak version 1, the suites of exchange.h and in HELLO_J the extension of gone.h. Other suites
 * and extensions must be well formed and are ignored.
 */
#pragma once

#include "base/bytes.h"
#include "base/outcome.h"
#include "proto/exchange.h"
#include "proto/gone.h"

enum {
    HELLO_RANDOM_SIZE = GONE_RANDOM_SIZE,
    HELLO_SIZE_PLAIN = 80,
    HELLO_EXTENSION_SIZE = 4, /* before its value */
    HELLO_SIZE_MAX =
        HELLO_SIZE_PLAIN + KEM_KEY_SIZE + HELLO_EXTENSION_SIZE + GONE_SIZE, /* that we send */
};

enum hello_outcome {
    HELLO_MALFORMED = OUTCOME_HELLO,
    HELLO_UNSUPPORTED, /* well formed, but no version or suite in common */
};

/* What either side contributes to the key exchange. */
struct hello {
    uint8_t random[HELLO_RANDOM_SIZE];
    uint8_t share[EXCHANGE_OFFER_MAX]; /* as in exchange.h; both parts if suite 2 is spoken of */
    uint8_t gone[GONE_SIZE];           /* joiner: names as in gone.h … */
    size_t gone_size;                  /* … 0 for none */
};

/* The frame bodies that we send: an offer of these suites, a choice. Give the size. */
size_t hello_joiner_encode(const struct hello *hello, unsigned suites,
                           uint8_t body[static HELLO_SIZE_MAX]);
size_t hello_host_encode(const struct hello *hello, enum suite suite,
                         uint8_t body[static HELLO_SIZE_MAX]);

/* Reads a joiner's offer and chooses the highest suite of ours in it. 0 or a hello_outcome. */
int hello_joiner_parse(struct span body, unsigned suites, struct hello *hello, enum suite *suite);

/* Reads a host's choice, which must be one of the suites offered. 0 or HELLO_MALFORMED. */
int hello_host_parse(struct span body, unsigned suites, struct hello *hello, enum suite *suite);
