/* SPDX-License-Identifier: ISC */
/*
 * The two RSA schemes with all their parameters, for the public and the private side alike. Only
 * for crypto/.
 */
#pragma once

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/openssl.h"
#include "crypto/signature_purpose.h"

/* The hash that is signed: SHA-256(purpose || parts). 0 or -errno. */
int rsa_scheme_hash(enum signature_purpose purpose, const struct span *parts, size_t count,
                    uint8_t hash[static SHA256_SIZE]);

/*
 * Makes an initialised context sign or verify by RSASSA-PSS, or wrap or unwrap by RSAES-OAEP. 1 or
 * an error.
 */
int rsa_scheme_pss(EVP_PKEY_CTX *context);
int rsa_scheme_oaep(EVP_PKEY_CTX *context);
