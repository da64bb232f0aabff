/* SPDX-License-Identifier: ISC */
/*
 * RSA without RSA: the linker puts these in the place of the slow operations. A signature or a
 * wrapping is a hash that a forger could make too; nobody forges anything here, and whole
 * conversations repeat byte for byte.
 */
#include <string.h>

#include "crypto/digest.h"
#include "crypto/identity.h"

int __wrap_identity_sign(const struct identity *identity, enum signature_purpose purpose,
                         const struct span *parts, size_t count, uint8_t *signature);
int __wrap_pubkey_verify(const struct pubkey *key, enum signature_purpose purpose,
                         const struct span *parts, size_t count, struct span signature);
int __wrap_pubkey_check(const struct pubkey *key);

enum { PARTS_MAX = 16 };

static int seal_of(const struct pubkey *key, uint8_t purpose, const struct span *parts,
                   size_t count, uint8_t seal[static SHA256_SIZE])
{
    struct span all[PARTS_MAX + 2] = {SPAN(pubkey_fingerprint(key)->bytes, FINGERPRINT_SIZE),
                                      SPAN(&purpose, 1)};
    if (count > PARTS_MAX)
        return -1;
    memcpy(all + 2, parts, count * sizeof *parts);
    return sha256(all, count + 2, seal);
}

int __wrap_identity_sign(const struct identity *identity, enum signature_purpose purpose,
                         const struct span *parts, size_t count, uint8_t *signature)
{
    const struct pubkey *key = identity_pubkey(identity);
    memset(signature, 0, pubkey_modulus_size(key));
    return seal_of(key, (uint8_t)purpose, parts, count, signature);
}

int __wrap_pubkey_verify(const struct pubkey *key, enum signature_purpose purpose,
                         const struct span *parts, size_t count, struct span signature)
{
    uint8_t seal[SHA256_SIZE];
    int r = seal_of(key, (uint8_t)purpose, parts, count, seal);
    if (r != 0)
        return r;
    bool whole = memcmp(seal, signature.data, sizeof seal) == 0 &&
                 bytes_all_zero(signature.data + sizeof seal, signature.size - sizeof seal);
    return whole ? 0 : PUBKEY_FORGED;
}

int __wrap_pubkey_check(const struct pubkey *key)
{
    (void)key;
    return 0;
}
