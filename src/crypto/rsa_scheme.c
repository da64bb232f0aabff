/* SPDX-License-Identifier: ISC */
/*
 * RSASSA-PSS and RSAES-OAEP as the protocol wants them. Every parameter is set, on both sides:
 * OpenSSL's defaults differ between releases (salt length) or are older than we want (SHA-1 in
 * OAEP).
 */
#include "crypto/rsa_scheme.h"

#include <openssl/rsa.h>

enum { SALT_SIZE = 32 };

static const char oaep_label[] = "p2pchat/1 aes-key";

enum { OAEP_LABEL_SIZE = sizeof oaep_label - 1 };

#define PURPOSE(text) ((struct span){(const uint8_t *)(text), sizeof(text)})

/* The NUL ends each prefix and belongs to it. */
static const struct span purposes[] = {
    [SIGNATURE_IDENT] = PURPOSE("p2pchat/1 ident"),
    [SIGNATURE_KEY] = PURPOSE("p2pchat/1 key"),
    [SIGNATURE_PACKET] = PURPOSE("p2pchat/1 packet"),
};

static int hash_add_all(struct sha256_state *state, const struct span *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int r = sha256_state_add(state, parts[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

int rsa_scheme_hash(enum signature_purpose purpose, const struct span *parts, size_t count,
                    uint8_t hash[static SHA256_SIZE])
{
    struct sha256_state *state;
    int r = sha256_state_new(&state);
    if (r < 0)
        return r;
    r = hash_add_all(state, &purposes[purpose], 1);
    if (r == 0)
        r = hash_add_all(state, parts, count);
    if (r == 0)
        r = sha256_state_value(state, hash);
    sha256_state_free(state);
    return r;
}

int rsa_scheme_pss(EVP_PKEY_CTX *context)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context, openssl()->sha256) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, openssl()->sha256) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, SALT_SIZE) == 1;
}

int rsa_scheme_oaep(EVP_PKEY_CTX *context)
{
    unsigned char *label;
    if (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md(context, openssl()->sha256) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md(context, openssl()->sha256) != 1)
        return 0;
    label = OPENSSL_memdup(oaep_label, OAEP_LABEL_SIZE);
    if (label == NULL)
        return 0;
    if (EVP_PKEY_CTX_set0_rsa_oaep_label(context, label, OAEP_LABEL_SIZE) != 1) {
        OPENSSL_free(label);
        return 0;
    }
    return 1;
}
