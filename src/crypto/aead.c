/* SPDX-License-Identifier: ISC */
/*
 * AES-256-GCM, one message at a time. Who makes keys and IVs unique is above.
 */
#include "crypto/aead.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <string.h>

#include "crypto/openssl.h"

enum direction { OPEN, SEAL };

/* A context that is ready for the message, or NULL. */
static EVP_CIPHER_CTX *aead_start(enum direction direction, const struct secret *key,
                                  const uint8_t *iv, struct span aad)
{
    CLEANUP(cipher_ctx_cleanup) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int ignored;
    assert(aad.size <= INT_MAX);
    if (context == NULL || EVP_CipherInit_ex2(context, openssl()->aes_256_gcm, key->bytes, iv,
                                              direction == SEAL, NULL) != 1)
        return NULL;
    /* The IV length is never set: other lengths would be hashed into a counter that may repeat. */
    assert(EVP_CIPHER_CTX_get_iv_length(context) == AEAD_IV_SIZE);
    if (aad.size > 0 && EVP_CipherUpdate(context, NULL, &ignored, aad.data, (int)aad.size) != 1)
        return NULL;
    return STEAL(context);
}

/*
 * Transforms the whole text; an empty one must not reach OpenSSL, which would take it for the end.
 */
static int aead_transform(EVP_CIPHER_CTX *context, struct span text, uint8_t *out)
{
    int written;
    assert(text.size <= INT_MAX);
    if (text.size == 0)
        return 1;
    return EVP_CipherUpdate(context, out, &written, text.data, (int)text.size);
}

int aead_seal(const struct secret *key, const uint8_t iv[static AEAD_IV_SIZE], struct span aad,
              struct span plaintext, uint8_t *out)
{
    CLEANUP(cipher_ctx_cleanup) EVP_CIPHER_CTX *context = aead_start(SEAL, key, iv, aad);
    uint8_t *tag = out + plaintext.size;
    int written;
    if (context == NULL || aead_transform(context, plaintext, out) != 1 ||
        EVP_CipherFinal_ex(context, tag, &written) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_SIZE, tag) != 1)
        return openssl_failed("sealing");
    return 0;
}

int aead_open(const struct secret *key, const uint8_t iv[static AEAD_IV_SIZE], struct span aad,
              struct span sealed, uint8_t *out)
{
    CLEANUP(cipher_ctx_cleanup) EVP_CIPHER_CTX *context = aead_start(OPEN, key, iv, aad);
    struct span ciphertext = SPAN(sealed.data, sealed.size - AEAD_TAG_SIZE);
    uint8_t tag[AEAD_TAG_SIZE];
    int written;
    assert(sealed.size >= AEAD_TAG_SIZE);
    memcpy(tag, sealed.data + ciphertext.size, sizeof tag);
    if (context == NULL || aead_transform(context, ciphertext, out) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) != 1)
        return openssl_failed("opening");
    if (EVP_CipherFinal_ex(context, tag, &written) != 1) {
        secret_wipe(out, ciphertext.size);
        ERR_clear_error();
        return AEAD_FORGED;
    }
    return 0;
}
