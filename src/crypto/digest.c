/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 and SHA-512. Keyed hashes are in kdf.
 */
#include "crypto/digest.h"

#include <errno.h>
#include <stdlib.h>

#include "crypto/openssl.h"

DEFINE_CLEANUP(EVP_MD_CTX *, md_ctx_cleanup, EVP_MD_CTX_free)

static int digest(const EVP_MD *algorithm, const struct span *parts, size_t count, uint8_t *hash)
{
    CLEANUP(md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestInit_ex2(context, algorithm, NULL) != 1)
        return openssl_failed("hashing");
    for (size_t i = 0; i < count; i++) {
        if (EVP_DigestUpdate(context, parts[i].data, parts[i].size) != 1)
            return openssl_failed("hashing");
    }
    if (EVP_DigestFinal_ex(context, hash, NULL) != 1)
        return openssl_failed("hashing");
    return 0;
}

int sha256(const struct span *parts, size_t count, uint8_t hash[static SHA256_SIZE])
{
    return digest(openssl()->sha256, parts, count, hash);
}

int sha512(const struct span *parts, size_t count, uint8_t hash[static SHA512_SIZE])
{
    return digest(openssl()->sha512, parts, count, hash);
}

struct sha256_state {
    EVP_MD_CTX *running;
    EVP_MD_CTX *scratch; /* where a copy is finished, so that the running one goes on */
};

int sha256_state_new(struct sha256_state **out)
{
    struct sha256_state *state = calloc(1, sizeof *state);
    if (state == NULL)
        return -ENOMEM;
    state->running = EVP_MD_CTX_new();
    state->scratch = EVP_MD_CTX_new();
    if (state->running == NULL || state->scratch == NULL ||
        EVP_DigestInit_ex2(state->running, openssl()->sha256, NULL) != 1) {
        sha256_state_free(state);
        return openssl_failed("hashing");
    }
    *out = state;
    return 0;
}

void sha256_state_free(struct sha256_state *state)
{
    if (state == NULL)
        return;
    EVP_MD_CTX_free(state->running);
    EVP_MD_CTX_free(state->scratch);
    free(state);
}

int sha256_state_add(struct sha256_state *state, struct span part)
{
    if (EVP_DigestUpdate(state->running, part.data, part.size) != 1)
        return openssl_failed("hashing");
    return 0;
}

int sha256_state_value(const struct sha256_state *state, uint8_t hash[static SHA256_SIZE])
{
    if (EVP_MD_CTX_copy_ex(state->scratch, state->running) != 1 ||
        EVP_DigestFinal_ex(state->scratch, hash, NULL) != 1)
        return openssl_failed("hashing");
    return 0;
}
