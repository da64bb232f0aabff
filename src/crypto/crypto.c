/* SPDX-License-Identifier: ISC */
/*
 * Owns the OpenSSL context. Computes nothing itself.
 */
#define LOG_COMPONENT "crypto"
#include "crypto/crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>

#include "base/log.h"
#include "crypto/openssl.h"

static struct openssl library;

const struct openssl *openssl(void)
{
    return &library;
}

int openssl_failed(const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    log_error("%s failed: %s", what, reason != NULL ? reason : "no reason given");
    ERR_clear_error();
    return -EIO;
}

static int crypto_fetch(void)
{
    OSSL_LIB_CTX *context = library.context;
    library.provider = OSSL_PROVIDER_load(context, "default");
    library.sha256 = EVP_MD_fetch(context, "SHA256", NULL);
    library.sha512 = EVP_MD_fetch(context, "SHA512", NULL);
    library.aes_256_gcm = EVP_CIPHER_fetch(context, "AES-256-GCM", NULL);
    library.aes_256_cbc = EVP_CIPHER_fetch(context, "AES-256-CBC", NULL);
    library.hmac = EVP_MAC_fetch(context, "HMAC", NULL);
    library.scrypt = EVP_KDF_fetch(context, "SCRYPT", NULL);
    if (library.provider == NULL || library.sha256 == NULL || library.sha512 == NULL ||
        library.aes_256_gcm == NULL || library.aes_256_cbc == NULL || library.hmac == NULL ||
        library.scrypt == NULL)
        return openssl_failed("fetching the algorithms");
    /* What lacks it goes on without. */
    library.ml_kem = EVP_KEM_fetch(context, "ML-KEM-768", NULL);
    ERR_clear_error();
    return 0;
}

int crypto_init(void)
{
    int r;
    /* openssl.cnf can load engines and providers and forbid algorithms: not in this process. */
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
        return openssl_failed("starting OpenSSL");
    library.context = OSSL_LIB_CTX_new();
    if (library.context == NULL)
        return openssl_failed("making the OpenSSL context");
    r = crypto_fetch();
    if (r < 0)
        crypto_deinit();
    return r;
}

const char *crypto_library_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}

void crypto_deinit(void)
{
    EVP_KEM_free(library.ml_kem);
    EVP_KDF_free(library.scrypt);
    EVP_MAC_free(library.hmac);
    EVP_CIPHER_free(library.aes_256_cbc);
    EVP_CIPHER_free(library.aes_256_gcm);
    EVP_MD_free(library.sha512);
    EVP_MD_free(library.sha256);
    if (library.provider != NULL)
        OSSL_PROVIDER_unload(library.provider);
    OSSL_LIB_CTX_free(library.context);
    library = (struct openssl){0};
}
