/* SPDX-License-Identifier: ISC */
/*
 * AES-256-GCM. That keys and IVs are unique is seen to above.
 */
#include "crypto/aead.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <string.h>

#include "crypto/openssl.h"

/* A key is the context that was made for it. */
struct aead_key;

static EVP_CIPHER_CTX *context_of(struct aead_key *key)
{
    return (EVP_CIPHER_CTX *)key;
}

enum direction { OPEN, SEAL };

/* Makes the context ready for the next message. 1 or not. */
static int aead_start(EVP_CIPHER_CTX *context, enum direction direction, const uint8_t *iv,
                      struct span aad)
{
    int ignored;
    assert(aad.size <= INT_MAX);
    if (EVP_CipherInit_ex2(context, NULL, NULL, iv, direction == SEAL, NULL) != 1)
        return 0;
    /* The IV length is never set: other lengths would be hashed into a counter that may repeat. */
    assert(EVP_CIPHER_CTX_get_iv_length(context) == AEAD_IV_SIZE);
    return aad.size == 0 || EVP_CipherUpdate(context, NULL, &ignored, aad.data, (int)aad.size) == 1;
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

int aead_key_seal(struct aead_key *key, const uint8_t iv[static AEAD_IV_SIZE], struct span aad,
                  struct span plaintext, uint8_t *out)
{
    EVP_CIPHER_CTX *context = context_of(key);
    uint8_t *tag = out + plaintext.size;
    int written;
    if (aead_start(context, SEAL, iv, aad) != 1 || aead_transform(context, plaintext, out) != 1 ||
        EVP_CipherFinal_ex(context, tag, &written) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_SIZE, tag) != 1)
        return openssl_failed("sealing");
    return 0;
}

int aead_key_open(struct aead_key *key, const uint8_t iv[static AEAD_IV_SIZE], struct span aad,
                  struct span sealed, uint8_t *out)
{
    EVP_CIPHER_CTX *context = context_of(key);
    struct span ciphertext = SPAN(sealed.data, sealed.size - AEAD_TAG_SIZE);
    uint8_t tag[AEAD_TAG_SIZE];
    int written;
    assert(sealed.size >= AEAD_TAG_SIZE);
    memcpy(tag, sealed.data + ciphertext.size, sizeof tag);
    if (aead_start(context, OPEN, iv, aad) != 1 || aead_transform(context, ciphertext, out) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) != 1)
        return openssl_failed("opening");
    if (EVP_CipherFinal_ex(context, tag, &written) != 1) {
        secret_wipe(out, ciphertext.size);
        ERR_clear_error();
        return AEAD_FORGED;
    }
    return 0;
}

/* --- keys ------------------------------------------------------------------------------------- */

int aead_key_new(struct aead_key **key, const struct secret *secret)
{
    CLEANUP(cipher_ctx_cleanup) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context == NULL ||
        EVP_CipherInit_ex2(context, openssl()->aes_256_gcm, secret->bytes, NULL, SEAL, NULL) != 1)
        return openssl_failed("a key");
    *key = (struct aead_key *)STEAL(context);
    return 0;
}

void aead_key_free(struct aead_key *key)
{
    EVP_CIPHER_CTX_free(context_of(key));
}

DEFINE_CLEANUP(struct aead_key *, aead_key_cleanup, aead_key_free)

int aead_seal(const struct secret *secret, const uint8_t iv[static AEAD_IV_SIZE], struct span aad,
              struct span plaintext, uint8_t *out)
{
    CLEANUP(aead_key_cleanup) struct aead_key *key = NULL;
    int r = aead_key_new(&key, secret);
    return r == 0 ? aead_key_seal(key, iv, aad, plaintext, out) : r;
}

int aead_open(const struct secret *secret, const uint8_t iv[static AEAD_IV_SIZE], struct span aad,
              struct span sealed, uint8_t *out)
{
    CLEANUP(aead_key_cleanup) struct aead_key *key = NULL;
    int r = aead_key_new(&key, secret);
    return r == 0 ? aead_key_open(key, iv, aad, sealed, out) : r;
}
