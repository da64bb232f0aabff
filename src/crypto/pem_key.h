/* SPDX-License-Identifier: ISC */
/*
 * Private keys as PEM files hold them: PKCS#8 (RFC 5958), plain or encrypted, and PKCS#1 (RFC
 * 8017). Only for crypto/.
 */
#pragma once

#include "base/bytes.h"
#include "crypto/openssl.h"

/*
 * Reads the first PEM block; never asks the terminal. Free the key with EVP_PKEY_free(). 0, an
 * identity_outcome (but IDENTITY_UNSUITABLE: any kind of key is read) or -errno.
 */
int pem_key_read(struct span pem, const char *passphrase, EVP_PKEY **key);

/* Appends the key as PKCS#8, encrypted when there is a passphrase. 0 or -errno. */
int pem_key_append(const EVP_PKEY *key, const char *passphrase, struct bytes *pem);
