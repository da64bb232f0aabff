/* SPDX-License-Identifier: ISC */
/*
 * ML-KEM-768 through OpenSSL's EVP_PKEY_encapsulate(). The names of its parameters are written out,
 * because the headers of OpenSSL 3.0 don't know them and the library may be newer than they are.
 */
#include "crypto/kem.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/params.h>

#include "crypto/openssl.h"
#include "crypto/random.h"

static const char algorithm[] = "ML-KEM-768";

enum { ENCAPSULATION_RANDOM_SIZE = 32 };

bool kem_available(void)
{
    return openssl()->ml_kem != NULL;
}

/* The pair that belongs to the seed, or NULL. */
static EVP_PKEY *kem_load(const struct kem *kem)
{
    uint8_t seed[KEM_SEED_SIZE];
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string("seed", seed, sizeof seed),
        OSSL_PARAM_construct_end(),
    };
    CLEANUP(pkey_ctx_cleanup)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(openssl()->context, algorithm, NULL);
    EVP_PKEY *pair = NULL;
    memcpy(seed, kem->seed, sizeof seed);
    if (context != NULL && EVP_PKEY_fromdata_init(context) == 1)
        EVP_PKEY_fromdata(context, &pair, EVP_PKEY_KEYPAIR, parameters);
    secret_wipe(seed, sizeof seed);
    return pair;
}

int kem_generate(struct kem *kem, uint8_t key[static KEM_KEY_SIZE])
{
    CLEANUP(pkey_cleanup) EVP_PKEY *pair = NULL;
    size_t size = KEM_KEY_SIZE;
    int r = random_bytes(kem->seed, sizeof kem->seed);
    if (r < 0)
        return r;
    pair = kem_load(kem);
    if (pair == NULL || EVP_PKEY_get_raw_public_key(pair, key, &size) != 1 ||
        size != KEM_KEY_SIZE) {
        kem_wipe(kem);
        return openssl_failed("making an ML-KEM key");
    }
    return 0;
}

/* Encapsulates with these random bytes. */
static int encapsulate(EVP_PKEY *key, uint8_t *random, uint8_t *ciphertext, struct secret *shared)
{
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string("ikme", random, ENCAPSULATION_RANDOM_SIZE),
        OSSL_PARAM_construct_end(),
    };
    CLEANUP(pkey_ctx_cleanup)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(openssl()->context, key, NULL);
    size_t ciphertext_size = KEM_CIPHERTEXT_SIZE, shared_size = SECRET_SIZE;
    if (context == NULL || EVP_PKEY_encapsulate_init(context, parameters) != 1 ||
        EVP_PKEY_encapsulate(context, ciphertext, &ciphertext_size, shared->bytes, &shared_size) !=
            1 ||
        ciphertext_size != KEM_CIPHERTEXT_SIZE || shared_size != SECRET_SIZE)
        return openssl_failed("ML-KEM encapsulation");
    return 0;
}

int kem_encapsulate(const uint8_t key[static KEM_KEY_SIZE],
                    uint8_t ciphertext[static KEM_CIPHERTEXT_SIZE], struct secret *shared)
{
    uint8_t random[ENCAPSULATION_RANDOM_SIZE];
    CLEANUP(pkey_cleanup) EVP_PKEY *theirs = NULL;
    int r;
    if (!kem_available())
        return openssl_failed("ML-KEM encapsulation");
    theirs = EVP_PKEY_new_raw_public_key_ex(openssl()->context, algorithm, NULL, key, KEM_KEY_SIZE);
    if (theirs == NULL) {
        ERR_clear_error();
        return KEM_BAD_KEY;
    }
    r = random_bytes(random, sizeof random);
    if (r == 0)
        r = encapsulate(theirs, random, ciphertext, shared);
    secret_wipe(random, sizeof random);
    return r;
}

int kem_decapsulate(const struct kem *kem, const uint8_t ciphertext[static KEM_CIPHERTEXT_SIZE],
                    struct secret *shared)
{
    CLEANUP(pkey_cleanup) EVP_PKEY *pair = kem_load(kem);
    CLEANUP(pkey_ctx_cleanup) EVP_PKEY_CTX *context = NULL;
    size_t size = SECRET_SIZE;
    if (pair != NULL)
        context = EVP_PKEY_CTX_new_from_pkey(openssl()->context, pair, NULL);
    if (context == NULL || EVP_PKEY_decapsulate_init(context, NULL) != 1 ||
        EVP_PKEY_decapsulate(context, shared->bytes, &size, ciphertext, KEM_CIPHERTEXT_SIZE) != 1 ||
        size != SECRET_SIZE)
        return openssl_failed("ML-KEM decapsulation");
    return 0;
}

void kem_wipe(struct kem *kem)
{
    secret_wipe(kem, sizeof *kem);
}
