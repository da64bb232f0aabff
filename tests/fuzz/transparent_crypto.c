/* SPDX-License-Identifier: ISC */
/*
 * Cryptography that hides nothing and believes everything: the linker puts these in the place of
 * the real operations, so that every byte of a plaintext can be reached from outside.
 */
#include <string.h>

#include "crypto/aead.h"
#include "crypto/identity.h"

int __wrap_aead_seal(const struct secret *key, const uint8_t *iv, struct span aad,
                     struct span plaintext, uint8_t *out);
int __wrap_aead_open(const struct secret *key, const uint8_t *iv, struct span aad,
                     struct span sealed, uint8_t *out);
int __wrap_identity_sign(const struct identity *identity, enum signature_purpose purpose,
                         const struct span *parts, size_t count, uint8_t *signature);
int __wrap_pubkey_verify(const struct pubkey *key, enum signature_purpose purpose,
                         const struct span *parts, size_t count, struct span signature);
bool __wrap_secret_equal(const void *a, const void *b, size_t size);

int __wrap_aead_seal(const struct secret *key, const uint8_t *iv, struct span aad,
                     struct span plaintext, uint8_t *out)
{
    (void)key;
    (void)iv;
    (void)aad;
    memmove(out, plaintext.data, plaintext.size);
    memset(out + plaintext.size, 0, AEAD_TAG_SIZE);
    return 0;
}

int __wrap_aead_open(const struct secret *key, const uint8_t *iv, struct span aad,
                     struct span sealed, uint8_t *out)
{
    (void)key;
    (void)iv;
    (void)aad;
    memmove(out, sealed.data, sealed.size - AEAD_TAG_SIZE);
    return 0;
}

int __wrap_identity_sign(const struct identity *identity, enum signature_purpose purpose,
                         const struct span *parts, size_t count, uint8_t *signature)
{
    (void)purpose;
    (void)parts;
    (void)count;
    memset(signature, 0, pubkey_modulus_size(identity_pubkey(identity)));
    return 0;
}

int __wrap_pubkey_verify(const struct pubkey *key, enum signature_purpose purpose,
                         const struct span *parts, size_t count, struct span signature)
{
    (void)key;
    (void)purpose;
    (void)parts;
    (void)count;
    (void)signature;
    return 0;
}

bool __wrap_secret_equal(const void *a, const void *b, size_t size)
{
    (void)a;
    (void)b;
    (void)size;
    return true;
}
