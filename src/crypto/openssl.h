/* SPDX-License-Identifier: ISC */
/*
 * What the files of crypto/ share about OpenSSL. No other folder includes this.
 */
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/types.h>
#include <openssl/x509.h>

#include "base/cleanup.h"

/*
 * Our library context and the algorithms fetched from it; valid between crypto_init() and
 * crypto_deinit().
 */
struct openssl {
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *provider;
    EVP_MD *sha256;
    EVP_MD *sha512;
    EVP_CIPHER *aes_256_gcm;
    EVP_CIPHER *aes_256_cbc;
    EVP_MAC *hmac;
    EVP_KDF *scrypt;
    EVP_KEM *ml_kem; /* NULL: OpenSSL is too old for it */
};

const struct openssl *openssl(void);

/* Logs that `what` failed and OpenSSL's reason, forgets the reason and returns -EIO. */
int openssl_failed(const char *what);

DEFINE_CLEANUP(BIO *, bio_cleanup, BIO_free_all)
DEFINE_CLEANUP(EVP_CIPHER_CTX *, cipher_ctx_cleanup, EVP_CIPHER_CTX_free)
DEFINE_CLEANUP(EVP_PKEY *, pkey_cleanup, EVP_PKEY_free)
DEFINE_CLEANUP(EVP_PKEY_CTX *, pkey_ctx_cleanup, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(X509_SIG *, sig_cleanup, X509_SIG_free)
