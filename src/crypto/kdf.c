/* SPDX-License-Identifier: ISC */
/*
 * HMAC-SHA-256 and the two halves of HKDF. Labels and contexts are the callers' business.
 */
#include "crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

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

/* The MAC of the concatenated parts and `tail`, with a context that was just started. */
static int mac_finish(EVP_MAC_CTX *context, const struct span *parts, size_t count,
                      struct span tail, uint8_t mac[static HMAC_SIZE])
{
    size_t size;
    for (size_t i = 0; i < count; i++) {
        if (EVP_MAC_update(context, parts[i].data, parts[i].size) != 1)
            return openssl_failed("HMAC");
    }
    if (EVP_MAC_update(context, tail.data, tail.size) != 1 ||
        EVP_MAC_final(context, mac, &size, HMAC_SIZE) != 1 || size != HMAC_SIZE)
        return openssl_failed("HMAC");
    return 0;
}

/* HMAC over the concatenated parts and `tail`. */
static int hmac(struct span key, const struct span *parts, size_t count, struct span tail,
                uint8_t mac[static HMAC_SIZE])
{
    CLEANUP(mac_ctx_cleanup) EVP_MAC_CTX *context = EVP_MAC_CTX_new(openssl()->hmac);
    if (context == NULL || mac_start(context, key) != 1)
        return openssl_failed("HMAC");
    return mac_finish(context, parts, count, tail, mac);
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

/* With L no longer than the hash there is one block: T(1) = HMAC(PRK, info || 0x01). */
static const uint8_t first_block[] = {1};

int hkdf_expand(const struct secret *prk, const struct span *info, size_t count, struct secret *okm)
{
    return hmac(SPAN(prk->bytes, sizeof prk->bytes), info, count,
                SPAN(first_block, sizeof first_block), okm->bytes);
}

/* A PRK is the context that was made for it. */
static EVP_MAC_CTX *context_of(struct hkdf *hkdf)
{
    return (EVP_MAC_CTX *)hkdf;
}

int hkdf_new(struct hkdf **hkdf, const struct secret *prk)
{
    CLEANUP(mac_ctx_cleanup) EVP_MAC_CTX *context = EVP_MAC_CTX_new(openssl()->hmac);
    if (context == NULL || mac_start(context, SPAN(prk->bytes, sizeof prk->bytes)) != 1)
        return openssl_failed("HMAC");
    *hkdf = (struct hkdf *)STEAL(context);
    return 0;
}

void hkdf_free(struct hkdf *hkdf)
{
    EVP_MAC_CTX_free(context_of(hkdf));
}

int hkdf_next(struct hkdf *hkdf, const struct span *info, size_t count, struct secret *okm)
{
    if (EVP_MAC_init(context_of(hkdf), NULL, 0, NULL) != 1) /* with the key that it has */
        return openssl_failed("HMAC");
    return mac_finish(context_of(hkdf), info, count, SPAN(first_block, sizeof first_block),
                      okm->bytes);
}

DEFINE_CLEANUP(EVP_KDF_CTX *, kdf_ctx_cleanup, EVP_KDF_CTX_free)

int scrypt(const char *passphrase, struct span salt, unsigned log2_n, struct secret *key)
{
    CLEANUP(kdf_ctx_cleanup) EVP_KDF_CTX *context = EVP_KDF_CTX_new(openssl()->scrypt);
    uint64_t n = UINT64_C(1) << log2_n, memory = UINT64_C(257) << 20;
    uint32_t r = 8, p = 1;
    /* OpenSSL only reads them, but wants to be able to write. */
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)passphrase,
                                          strlen(passphrase)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt.data, salt.size),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
        OSSL_PARAM_construct_end(),
    };
    if (context == NULL || EVP_KDF_derive(context, key->bytes, sizeof key->bytes, params) != 1)
        return openssl_failed("scrypt");
    return 0;
}
