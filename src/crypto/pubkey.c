/* SPDX-License-Identifier: ISC */
/*
 * Public keys: the template, the import and the public operations. Whether a key is trusted is
 * decided elsewhere.
 */
#include "crypto/pubkey.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/rsa_scheme.h"

enum { HEADER_SIZE = 33, TRAILER_SIZE = 5, PUBLIC_EXPONENT = 65537 };

/*
 *      +--------------------------------------+----------------+--------------------+
 *      | header (33): lengths, rsaEncryption  | n (256 to 512) | 02 03 01 00 01 (e) |
 *      +--------------------------------------+----------------+--------------------+
 */
struct template
{
    size_t modulus_size;
    uint8_t header[HEADER_SIZE];
};

#define ALGORITHM \
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00
/* The lengths of the outer SEQUENCE, the BIT STRING, the inner SEQUENCE and the INTEGER n. */
#define BE16(number) (number) >> 8, (number) % 256
#define HEADER(spki, bits, rsa, n)                                                                \
    0x30, 0x82, BE16(spki), ALGORITHM, 0x03, 0x82, BE16(bits), 0x00, 0x30, 0x82, BE16(rsa), 0x02, \
        0x82, BE16(n), 0x00

static const struct template templates[] = {
    {256, {HEADER(0x122, 0x10f, 0x10a, 0x101)}},
    {384, {HEADER(0x1a2, 0x18f, 0x18a, 0x181)}},
    {512, {HEADER(0x222, 0x20f, 0x20a, 0x201)}},
};

enum { TEMPLATE_COUNT = sizeof templates / sizeof templates[0] };

static const uint8_t exponent_65537[TRAILER_SIZE] = {0x02, 0x03, 0x01, 0x00, 0x01};

struct pubkey {
    EVP_PKEY *key;
    size_t modulus_size;
    size_t spki_size;
    uint8_t spki[PUBKEY_SPKI_MAX];
    struct fingerprint fingerprint;
};

size_t pubkey_spki_size(size_t modulus_size)
{
    for (size_t i = 0; i < TEMPLATE_COUNT; i++) {
        if (templates[i].modulus_size == modulus_size)
            return HEADER_SIZE + modulus_size + TRAILER_SIZE;
    }
    return 0;
}

size_t pubkey_modulus_size_of_spki(size_t spki_size)
{
    for (size_t i = 0; i < TEMPLATE_COUNT; i++) {
        if (pubkey_spki_size(templates[i].modulus_size) == spki_size)
            return templates[i].modulus_size;
    }
    return 0;
}

/* Compares all that is fixed and looks at the two ends of the modulus. */
static bool spki_matches(const struct template *template, struct span spki)
{
    const uint8_t *modulus = spki.data + HEADER_SIZE;
    const uint8_t *trailer = modulus + template->modulus_size;
    return spki.size == HEADER_SIZE + template->modulus_size + TRAILER_SIZE &&
           memcmp(spki.data, template->header, HEADER_SIZE) == 0 &&
           memcmp(trailer, exponent_65537, TRAILER_SIZE) == 0 && modulus[0] >= 0x80 &&
           (trailer[-1] & 1) == 1;
}

/* The modulus size of a legal encoding, or 0. */
static size_t spki_recognise(struct span spki)
{
    for (size_t i = 0; i < TEMPLATE_COUNT; i++) {
        if (spki_matches(&templates[i], spki))
            return templates[i].modulus_size;
    }
    return 0;
}

DEFINE_CLEANUP(BIGNUM *, bignum_cleanup, BN_free)
DEFINE_CLEANUP(OSSL_PARAM_BLD *, builder_cleanup, OSSL_PARAM_BLD_free)
DEFINE_CLEANUP(OSSL_PARAM *, params_cleanup, OSSL_PARAM_free)

/* The OpenSSL key of a modulus, or NULL. */
static EVP_PKEY *rsa_from_modulus(const uint8_t *modulus, size_t size)
{
    CLEANUP(bignum_cleanup) BIGNUM *n = BN_bin2bn(modulus, (int)size, NULL);
    CLEANUP(builder_cleanup) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    CLEANUP(params_cleanup) OSSL_PARAM *params = NULL;
    CLEANUP(pkey_ctx_cleanup)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(openssl()->context, "RSA", NULL);
    EVP_PKEY *key = NULL;
    if (n == NULL || builder == NULL || context == NULL ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_ulong(builder, OSSL_PKEY_PARAM_RSA_E, PUBLIC_EXPONENT) != 1)
        return NULL;
    params = OSSL_PARAM_BLD_to_param(builder);
    if (params == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    return key;
}

int pubkey_new(struct pubkey **out, struct span spki)
{
    CLEANUP(pubkey_cleanup) struct pubkey *key = NULL;
    size_t modulus_size = spki_recognise(spki);
    int r;
    if (modulus_size == 0)
        return PUBKEY_MALFORMED;
    key = calloc(1, sizeof *key);
    if (key == NULL)
        return -ENOMEM;
    key->modulus_size = modulus_size;
    key->spki_size = spki.size;
    memcpy(key->spki, spki.data, spki.size);
    r = sha256(&spki, 1, key->fingerprint.bytes);
    if (r < 0)
        return r;
    key->key = rsa_from_modulus(key->spki + HEADER_SIZE, modulus_size);
    if (key->key == NULL)
        return openssl_failed("importing a public key");
    *out = STEAL(key);
    return 0;
}

void pubkey_free(struct pubkey *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->key);
    free(key);
}

struct span pubkey_spki(const struct pubkey *key)
{
    return SPAN(key->spki, key->spki_size);
}

size_t pubkey_modulus_size(const struct pubkey *key)
{
    return key->modulus_size;
}

const struct fingerprint *pubkey_fingerprint(const struct pubkey *key)
{
    return &key->fingerprint;
}

/* A context for one operation with the key, or NULL. */
static EVP_PKEY_CTX *pubkey_context(const struct pubkey *key)
{
    return EVP_PKEY_CTX_new_from_pkey(openssl()->context, key->key, NULL);
}

int pubkey_check(const struct pubkey *key)
{
    CLEANUP(pkey_ctx_cleanup) EVP_PKEY_CTX *context = pubkey_context(key);
    if (context == NULL)
        return openssl_failed("checking a public key");
    if (EVP_PKEY_public_check(context) != 1) {
        ERR_clear_error();
        return PUBKEY_MALFORMED;
    }
    return 0;
}

int pubkey_verify(const struct pubkey *key, enum signature_purpose purpose,
                  const struct span *parts, size_t count, struct span signature)
{
    CLEANUP(pkey_ctx_cleanup) EVP_PKEY_CTX *context = pubkey_context(key);
    uint8_t hash[SHA256_SIZE];
    int r = rsa_scheme_hash(purpose, parts, count, hash);
    if (r < 0)
        return r;
    if (context == NULL || EVP_PKEY_verify_init(context) != 1 || rsa_scheme_pss(context) != 1)
        return openssl_failed("preparing to verify");
    if (signature.size != key->modulus_size ||
        EVP_PKEY_verify(context, signature.data, signature.size, hash, sizeof hash) != 1) {
        ERR_clear_error();
        return PUBKEY_FORGED;
    }
    return 0;
}

int pubkey_wrap(const struct pubkey *key, const struct secret *secret, uint8_t *out)
{
    CLEANUP(pkey_ctx_cleanup) EVP_PKEY_CTX *context = pubkey_context(key);
    size_t size = key->modulus_size;
    if (context == NULL || EVP_PKEY_encrypt_init(context) != 1 || rsa_scheme_oaep(context) != 1 ||
        EVP_PKEY_encrypt(context, out, &size, secret->bytes, sizeof secret->bytes) != 1 ||
        size != key->modulus_size)
        return openssl_failed("wrapping a key");
    return 0;
}

int pubkey_export(const struct pubkey *key, struct bytes *pem)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long size;
    if (bio == NULL ||
        PEM_write_bio(bio, PEM_STRING_PUBLIC, "", key->spki, (long)key->spki_size) <= 0)
        return openssl_failed("exporting a public key");
    size = BIO_get_mem_data(bio, &text);
    return bytes_append(pem, text, (size_t)size);
}
