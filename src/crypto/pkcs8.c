/* SPDX-License-Identifier: ISC */
/*
 * Encrypted PKCS#8. What is inside the key is not looked at.
 */
#include "crypto/pkcs8.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/openssl.h"
#include "crypto/random.h"
#include "crypto/secret.h"

enum { SALT_SIZE = 16, IV_SIZE = 16, BLOCK_SIZE = 16 };

/* What a passphrase costs to try: 128 MiB and a third of a second. */
static const uint64_t scrypt_n = UINT64_C(1) << 17;
static const uint32_t scrypt_r = 8;
static const uint32_t scrypt_p = 1;

/* What a file may make us spend. */
static const uint64_t scrypt_memory_max = UINT64_C(512) << 20;
static const uint64_t scrypt_p_max = 16;

DEFINE_CLEANUP(PBE2PARAM *, pbes2_cleanup, PBE2PARAM_free)
DEFINE_CLEANUP(SCRYPT_PARAMS *, scrypt_cleanup, SCRYPT_PARAMS_free)
DEFINE_CLEANUP(EVP_KDF_CTX *, kdf_ctx_cleanup, EVP_KDF_CTX_free)

/* The AES key of a passphrase. 1 or an error. */
static int passphrase_stretch(const char *passphrase, const SCRYPT_PARAMS *cost, struct secret *key)
{
    CLEANUP(kdf_ctx_cleanup) EVP_KDF_CTX *context = EVP_KDF_CTX_new(openssl()->scrypt);
    uint64_t memory = scrypt_memory_max;
    uint64_t n;
    uint64_t r;
    uint64_t p;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (char *)passphrase,
                                          strlen(passphrase)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
                                          (void *)ASN1_STRING_get0_data(cost->salt),
                                          (size_t)ASN1_STRING_length(cost->salt)),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
        OSSL_PARAM_construct_end(),
    };
    return context != NULL && ASN1_INTEGER_get_uint64(&n, cost->costParameter) == 1 &&
           ASN1_INTEGER_get_uint64(&r, cost->blockSize) == 1 &&
           ASN1_INTEGER_get_uint64(&p, cost->parallelizationParameter) == 1 && p <= scrypt_p_max &&
           EVP_KDF_derive(context, key->bytes, sizeof key->bytes, params) == 1;
}

enum direction { DECRYPT, ENCRYPT };

/* AES-256-CBC with padding; `out` is empty before. 1 or an error. */
static int cbc_transform(enum direction direction, const struct secret *key, const uint8_t *iv,
                         struct span in, struct bytes *out)
{
    CLEANUP(cipher_ctx_cleanup) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int body;
    int end;
    if (context == NULL || in.size > INT_MAX || bytes_reserve(out, in.size + BLOCK_SIZE) < 0 ||
        EVP_CipherInit_ex2(context, openssl()->aes_256_cbc, key->bytes, iv, direction == ENCRYPT,
                           NULL) != 1 ||
        EVP_CipherUpdate(context, out->data, &body, in.data, (int)in.size) != 1 ||
        EVP_CipherFinal_ex(context, out->data + body, &end) != 1)
        return 0;
    out->size = (size_t)body + (size_t)end;
    return 1;
}

/* Makes `algorithm` be `nid` with the parameters `value`. 1 or an error. */
static int algorithm_set(X509_ALGOR *algorithm, int nid, const ASN1_ITEM *item, void *value)
{
    ASN1_STRING *packed = ASN1_item_pack(value, item, NULL);
    if (packed == NULL)
        return 0;
    if (X509_ALGOR_set0(algorithm, OBJ_nid2obj(nid), V_ASN1_SEQUENCE, packed) != 1) {
        ASN1_STRING_free(packed);
        return 0;
    }
    return 1;
}

/* The parameters behind `algorithm` if it is `nid`, or NULL. */
static void *algorithm_get(const X509_ALGOR *algorithm, int nid, const ASN1_ITEM *item)
{
    const ASN1_OBJECT *name;
    const void *value;
    int type;
    X509_ALGOR_get0(&name, &type, &value, algorithm);
    if (OBJ_obj2nid(name) != nid || type != V_ASN1_SEQUENCE)
        return NULL;
    return ASN1_item_unpack(value, item);
}

/* Fresh scrypt parameters, or NULL. */
static SCRYPT_PARAMS *scrypt_params_make(void)
{
    CLEANUP(scrypt_cleanup) SCRYPT_PARAMS *cost = SCRYPT_PARAMS_new();
    uint8_t salt[SALT_SIZE];
    if (cost == NULL || random_bytes(salt, sizeof salt) < 0 ||
        ASN1_OCTET_STRING_set(cost->salt, salt, sizeof salt) != 1 ||
        ASN1_INTEGER_set_uint64(cost->costParameter, scrypt_n) != 1 ||
        ASN1_INTEGER_set_uint64(cost->blockSize, scrypt_r) != 1 ||
        ASN1_INTEGER_set_uint64(cost->parallelizationParameter, scrypt_p) != 1)
        return NULL;
    return STEAL(cost);
}

/* Makes `algorithm` PBES2 of these parts. 1 or an error. */
static int pbes2_set(X509_ALGOR *algorithm, SCRYPT_PARAMS *cost, const uint8_t *iv)
{
    CLEANUP(pbes2_cleanup) PBE2PARAM *pbes2 = PBE2PARAM_new();
    ASN1_OCTET_STRING *iv_string = ASN1_OCTET_STRING_new();
    if (pbes2 == NULL || iv_string == NULL || ASN1_OCTET_STRING_set(iv_string, iv, IV_SIZE) != 1 ||
        X509_ALGOR_set0(pbes2->encryption, OBJ_nid2obj(NID_aes_256_cbc), V_ASN1_OCTET_STRING,
                        iv_string) != 1) {
        ASN1_OCTET_STRING_free(iv_string);
        return 0;
    }
    return algorithm_set(pbes2->keyfunc, NID_id_scrypt, ASN1_ITEM_rptr(SCRYPT_PARAMS), cost) &&
           algorithm_set(algorithm, NID_pbes2, ASN1_ITEM_rptr(PBE2PARAM), pbes2);
}

/* Encrypts the encoded key and puts it and how it was done into `encrypted`. 1 or an error. */
static int encrypt_into(X509_SIG *encrypted, struct span der, const char *passphrase)
{
    CLEANUP(scrypt_cleanup) SCRYPT_PARAMS *cost = scrypt_params_make();
    CLEANUP(secret_cleanup) struct secret key = {0};
    CLEANUP(bytes_deinit) struct bytes ciphertext = {0};
    uint8_t iv[IV_SIZE];
    ASN1_OCTET_STRING *content;
    X509_ALGOR *algorithm;
    if (cost == NULL || random_bytes(iv, sizeof iv) < 0 ||
        passphrase_stretch(passphrase, cost, &key) != 1 ||
        cbc_transform(ENCRYPT, &key, iv, der, &ciphertext) != 1)
        return 0;
    X509_SIG_getm(encrypted, &algorithm, &content);
    return pbes2_set(algorithm, cost, iv) &&
           ASN1_OCTET_STRING_set(content, ciphertext.data, (int)ciphertext.size);
}

int pkcs8_encrypt(PKCS8_PRIV_KEY_INFO *key, const char *passphrase, X509_SIG **out)
{
    CLEANUP(sig_cleanup) X509_SIG *encrypted = X509_SIG_new();
    unsigned char *der = NULL;
    int size = i2d_PKCS8_PRIV_KEY_INFO(key, &der);
    int done = 0;
    if (encrypted != NULL && size > 0)
        done = encrypt_into(encrypted, SPAN(der, (size_t)size), passphrase);
    if (size > 0)
        OPENSSL_clear_free(der, (size_t)size);
    if (done != 1)
        return openssl_failed("encrypting the private key");
    *out = STEAL(encrypted);
    return 0;
}

/* The key inside, if it is encrypted in our own way and the passphrase is right; or NULL. */
static PKCS8_PRIV_KEY_INFO *decrypt_scrypt(const PBE2PARAM *pbes2, const SCRYPT_PARAMS *cost,
                                           const ASN1_OCTET_STRING *content, const char *passphrase)
{
    CLEANUP(secret_cleanup) struct secret key = {0};
    CLEANUP(bytes_deinit) struct bytes der = {0};
    const ASN1_OBJECT *name;
    const void *iv;
    int type;
    const unsigned char *at;
    X509_ALGOR_get0(&name, &type, &iv, pbes2->encryption);
    if (OBJ_obj2nid(name) != NID_aes_256_cbc || type != V_ASN1_OCTET_STRING ||
        ASN1_STRING_length(iv) != IV_SIZE || passphrase_stretch(passphrase, cost, &key) != 1 ||
        cbc_transform(DECRYPT, &key, ASN1_STRING_get0_data(iv),
                      SPAN(ASN1_STRING_get0_data(content), (size_t)ASN1_STRING_length(content)),
                      &der) != 1)
        return NULL;
    at = der.data;
    return d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.size);
}

int pkcs8_decrypt(const X509_SIG *encrypted, const char *passphrase, PKCS8_PRIV_KEY_INFO **key)
{
    CLEANUP(pbes2_cleanup) PBE2PARAM *pbes2 = NULL;
    CLEANUP(scrypt_cleanup) SCRYPT_PARAMS *cost = NULL;
    const ASN1_OCTET_STRING *content;
    const X509_ALGOR *algorithm;
    X509_SIG_get0(encrypted, &algorithm, &content);
    pbes2 = algorithm_get(algorithm, NID_pbes2, ASN1_ITEM_rptr(PBE2PARAM));
    if (pbes2 != NULL)
        cost = algorithm_get(pbes2->keyfunc, NID_id_scrypt, ASN1_ITEM_rptr(SCRYPT_PARAMS));
    if (cost != NULL)
        *key = decrypt_scrypt(pbes2, cost, content, passphrase);
    else
        *key = PKCS8_decrypt_ex(encrypted, passphrase, (int)strlen(passphrase), openssl()->context,
                                NULL);
    ERR_clear_error();
    return *key != NULL ? 0 : PKCS8_PASSPHRASE;
}
