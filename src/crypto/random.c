/* SPDX-License-Identifier: ISC */
/*
 * The system's randomness through OpenSSL's generator. No other file asks for any.
 */
#include "crypto/random.h"

#include <openssl/rand.h>

#include "crypto/openssl.h"

enum { STRENGTH_BITS = 256 };

int random_bytes(void *out, size_t size)
{
    if (RAND_bytes_ex(openssl()->context, out, size, STRENGTH_BITS) != 1)
        return openssl_failed("random generation");
    return 0;
}

uint32_t random_u32(void)
{
    uint32_t number;
    return random_bytes(&number, sizeof number) == 0 ? number : 0;
}
