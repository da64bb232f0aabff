/* SPDX-License-Identifier: ISC */
/*
 * Ephemeral key encapsulation: ML-KEM-768 (FIPS 203), which quantum computers are not known to
 * break. OpenSSL has it from 3.5 on; whether this one does is found out by crypto_init().
 *
 * Both random inputs are ours, so that the only source of randomness is random_bytes().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/outcome.h"
#include "crypto/secret.h"

enum {
    KEM_SEED_SIZE = 64,         /* d and z */
    KEM_KEY_SIZE = 1184,        /* encapsulation key */
    KEM_CIPHERTEXT_SIZE = 1088, /* encapsulated secret */
};

/* One ephemeral pair, as what it is made from; wipe it after use. */
struct kem {
    uint8_t seed[KEM_SEED_SIZE];
};

enum kem_outcome {
    KEM_BAD_KEY = OUTCOME_KEM, /* no encapsulation key: a coefficient is not reduced (7.2) */
};

/* Whether OpenSSL has the algorithm. Without it the rest gives -EIO. */
bool kem_available(void);

/* A fresh pair from 64 bytes of random_bytes(), and its public half. 0 or -EIO. */
int kem_generate(struct kem *kem, uint8_t key[static KEM_KEY_SIZE]);

/* A secret for the owner of the key, from 32 bytes of random_bytes(). 0, KEM_BAD_KEY or -EIO. */
int kem_encapsulate(const uint8_t key[static KEM_KEY_SIZE],
                    uint8_t ciphertext[static KEM_CIPHERTEXT_SIZE], struct secret *shared);

/* The same secret there; from a changed ciphertext one that nobody else knows. 0 or -EIO. */
int kem_decapsulate(const struct kem *kem, const uint8_t ciphertext[static KEM_CIPHERTEXT_SIZE],
                    struct secret *shared);

/* Wipes the pair; a wiped pair may be wiped again. */
void kem_wipe(struct kem *kem);
