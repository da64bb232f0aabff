/* SPDX-License-Identifier: ISC */
/*
 * Wiping and comparing secrets.
 */
#include "crypto/secret.h"

#include <openssl/crypto.h>

void secret_wipe(void *data, size_t size)
{
    OPENSSL_cleanse(data, size);
}

bool secret_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

void secret_cleanup(struct secret *secret)
{
    secret_wipe(secret->bytes, sizeof secret->bytes);
}
