/* SPDX-License-Identifier: ISC */
/*
 * The key exchange of a suite, the same in the handshake and in every rekey: one side offers a
 * share, the other answers with its own, and both have a secret.
 *
 *     suite    offer                     answer                       secret
 *     1        X25519 key                X25519 key                   X25519
 *     2        X25519 key || ML-KEM key  X25519 key || ciphertext     ML-KEM || X25519
 *
 * A secret of suite 2 is safe as long as one of the two is.
 */
#pragma once

#include "base/bytes.h"
#include "base/outcome.h"
#include "crypto/kem.h"
#include "crypto/keyx.h"

/* The number on the wire. */
enum suite {
    SUITE_CLASSIC = 1,
    SUITE_HYBRID = 2, /* stays secret when quantum computers come */
};

/* Suites as a set: bit s - 1 for suite s, as on the wire. */
#define SUITE_BIT(suite) (1U << ((suite)-1))

enum {
    EXCHANGE_OFFER_MAX = KEYX_SIZE + KEM_KEY_SIZE,
    EXCHANGE_ANSWER_MAX = KEYX_SIZE + KEM_CIPHERTEXT_SIZE,
};

enum exchange_outcome {
    EXCHANGE_DEGENERATE = OUTCOME_EXCHANGE, /* what came is no key, or leads to no secret */
};

/* What the offering side keeps until the answer; wipe it after use. */
struct exchange {
    struct keyx keyx;
    struct kem kem; /* of an offer for suite 2 */
};

/* What both sides share; wipe it after use. */
struct exchange_secret {
    uint8_t bytes[2 * SECRET_SIZE];
    size_t size;
};

/* The suites that this machine can do: its OpenSSL may lack ML-KEM. */
unsigned exchange_suites(void);

static inline size_t exchange_offer_size(enum suite suite)
{
    return suite == SUITE_HYBRID ? (size_t)EXCHANGE_OFFER_MAX : (size_t)KEYX_SIZE;
}

static inline size_t exchange_answer_size(enum suite suite)
{
    return suite == SUITE_HYBRID ? (size_t)EXCHANGE_ANSWER_MAX : (size_t)KEYX_SIZE;
}

/* Makes an offer of exchange_offer_size() bytes. 0 or -EIO. */
int exchange_offer(struct exchange *exchange, enum suite suite, uint8_t *offer);

/* Answers one of the right size. 0, EXCHANGE_DEGENERATE or -EIO. */
int exchange_answer(enum suite suite, const uint8_t *offer, uint8_t *answer,
                    struct exchange_secret *secret);

/*
 * Takes an answer of the right size to our offer, which was for this suite or one that is more. 0,
 * EXCHANGE_DEGENERATE or -EIO.
 */
int exchange_finish(const struct exchange *exchange, enum suite suite, const uint8_t *answer,
                    struct exchange_secret *secret);

/* The secret as what keys are extracted from. */
struct span exchange_secret_span(const struct exchange_secret *secret);

/* For CLEANUP(): wipes a secret. */
void exchange_secret_cleanup(struct exchange_secret *secret);

void exchange_wipe(struct exchange *exchange);
