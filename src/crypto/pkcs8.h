/* SPDX-License-Identifier: ISC */
/*
 * Private keys in PKCS#8 (RFC 5958), encrypted by PBES2 (RFC 8018) with scrypt (RFC 7914). Only for
 * crypto/.
 *
 * OpenSSL's own functions for this refuse scrypt with more than 32 MiB, both ways; these allow what
 * the parameters below need.
 */
#pragma once

#include <openssl/x509.h>

#include "base/outcome.h"

enum pkcs8_outcome {
    PKCS8_PASSPHRASE = OUTCOME_PKCS8, /* it does not decrypt with this passphrase, or at all */
};

/* Encrypts with a key made of the passphrase. Free the result with X509_SIG_free(). 0 or -errno. */
int pkcs8_encrypt(PKCS8_PRIV_KEY_INFO *key, const char *passphrase, X509_SIG **encrypted);

/*
 * Decrypts what pkcs8_encrypt() makes and every other kind that OpenSSL knows. Free the result with
 * PKCS8_PRIV_KEY_INFO_free(). 0 or PKCS8_PASSPHRASE.
 */
int pkcs8_decrypt(const X509_SIG *encrypted, const char *passphrase, PKCS8_PRIV_KEY_INFO **key);
