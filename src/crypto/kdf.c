/* SPDX-License-Identifier: ISC */
/*
 * HMAC-SHA-256 and the two halves of HKDF. Labels and contexts are the callers' business.
 */
#include "crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/openssl.h"

_Static_assert((int)HMAC_SIZE == (int)SECRET_SIZE, "one HMAC makes one secret");

DEFINE_CLEANUP(EVP_MAC_CTX *, mac_ctx_cleanup, EVP_MAC_CTX_free)

static int mac_start(EVP_MAC_CTX *context, struct span key)
{
    static const uint8_t NOTHING[1];
    char name[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    /* A NULL key would mean "keep the last one", not "the empty one". */
    return EVP_MAC_init(context, key.size > 0 ? key.data : NOTHING, key.size, params);
}

/* HMAC over the concatenated parts and `tail`. */
static int hmac(struct span key, const struct span *parts, size_t count, struct span tail,
                uint8_t mac[static HMAC_SIZE])
{
    CLEANUP(mac_ctx_cleanup) EVP_MAC_CTX *context = EVP_MAC_CTX_new(openssl()->hmac);
    size_t size;
    if (context == NULL || mac_start(context, key) != 1)
        return openssl_failed("HMAC");
    for (size_t i = 0; i < count; i++) {
        if (EVP_MAC_update(context, parts[i].data, parts[i].size) != 1)
            return openssl_failed("HMAC");
    }
    if (EVP_MAC_update(context, tail.data, tail.size) != 1 ||
        EVP_MAC_final(context, mac, &size, HMAC_SIZE) != 1 || size != HMAC_SIZE)
        return openssl_failed("HMAC");
    return 0;
}

int hmac_sha256(struct span key, const struct span *parts, size_t count,
                uint8_t mac[static HMAC_SIZE])
{
    return hmac(key, parts, count, SPAN(NULL, 0), mac);
}

int hkdf_extract(struct span salt, struct span ikm, struct secret *prk)
{
    return hmac(salt, NULL, 0, ikm, prk->bytes);
}

int hkdf_expand(const struct secret *prk, const struct span *info, size_t count, struct secret *okm)
{
    /* With L no longer than the hash there is one block: T(1) = HMAC(PRK, info || 0x01). */
    static const uint8_t first_block = 1;
    return hmac(SPAN(prk->bytes, sizeof prk->bytes), info, count, SPAN(&first_block, 1),
                okm->bytes);
}
