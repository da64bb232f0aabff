/* SPDX-License-Identifier: ISC */
/*
 * The private key at work. Where it is kept is the daemon's business, how it is written pem_key's.
 */
#include "crypto/identity.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "crypto/pem_key.h"
#include "crypto/rsa_scheme.h"

struct identity {
    EVP_PKEY *key;
    struct pubkey *pubkey;
};

DEFINE_CLEANUP(struct identity *, identity_cleanup, identity_free)

void identity_free(struct identity *identity)
{
    if (identity == NULL)
        return;
    pubkey_free(identity->pubkey);
    EVP_PKEY_free(identity->key);
    free(identity);
}

const struct pubkey *identity_pubkey(const struct identity *identity)
{
    return identity->pubkey;
}

/*
 * The public half of a key, if it has one of the legal encodings. 0, IDENTITY_UNSUITABLE or
 * -errno.
 */
static int pubkey_of(EVP_PKEY *key, struct pubkey **pubkey)
{
    unsigned char *spki = NULL;
    int size;
    int r;
    if (EVP_PKEY_is_a(key, "RSA") != 1)
        return IDENTITY_UNSUITABLE;
    size = i2d_PUBKEY(key, &spki);
    if (size <= 0)
        return openssl_failed("encoding the public key");
    r = pubkey_new(pubkey, SPAN(spki, (size_t)size));
    OPENSSL_free(spki);
    return r > 0 ? IDENTITY_UNSUITABLE : r;
}

/*
 * Makes an identity of the key, which it owns whatever happens. 0, IDENTITY_UNSUITABLE or -errno.
 */
static int identity_new(struct identity **out, EVP_PKEY *key)
{
    CLEANUP(identity_cleanup) struct identity *identity = calloc(1, sizeof *identity);
    int r;
    if (identity == NULL) {
        EVP_PKEY_free(key);
        return -ENOMEM;
    }
    identity->key = key;
    r = pubkey_of(key, &identity->pubkey);
    if (r == 0)
        *out = STEAL(identity);
    return r;
}

int identity_generate(struct identity **identity, unsigned bits)
{
    EVP_PKEY *key;
    if (bits % 8 != 0 || pubkey_spki_size(bits / 8) == 0)
        return -EINVAL;
    key = EVP_PKEY_Q_keygen(openssl()->context, NULL, "RSA", (size_t)bits);
    if (key == NULL)
        return openssl_failed("making an RSA key");
    return identity_new(identity, key);
}

/* Whether the private numbers belong to the public ones. */
static bool key_is_consistent(EVP_PKEY *key)
{
    CLEANUP(pkey_ctx_cleanup)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(openssl()->context, key, NULL);
    bool consistent = context != NULL && EVP_PKEY_pairwise_check(context) == 1;
    ERR_clear_error();
    return consistent;
}

int identity_import(struct identity **out, struct span pem, const char *passphrase)
{
    CLEANUP(identity_cleanup) struct identity *identity = NULL;
    EVP_PKEY *key = NULL;
    int r = pem_key_read(pem, passphrase, &key);
    if (r != 0)
        return r;
    r = identity_new(&identity, key);
    if (r != 0)
        return r;
    if (!key_is_consistent(key))
        return IDENTITY_UNSUITABLE;
    *out = STEAL(identity);
    return 0;
}

int identity_export(const struct identity *identity, const char *passphrase, struct bytes *pem)
{
    return pem_key_append(identity->key, passphrase, pem);
}

int identity_sign(const struct identity *identity, enum signature_purpose purpose,
                  const struct span *parts, size_t count, uint8_t *signature)
{
    CLEANUP(pkey_ctx_cleanup)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(openssl()->context, identity->key, NULL);
    size_t size = pubkey_modulus_size(identity->pubkey);
    uint8_t hash[SHA256_SIZE];
    int r = rsa_scheme_hash(purpose, parts, count, hash);
    if (r < 0)
        return r;
    if (context == NULL || EVP_PKEY_sign_init(context) != 1 || rsa_scheme_pss(context) != 1 ||
        EVP_PKEY_sign(context, signature, &size, hash, sizeof hash) != 1 ||
        size != pubkey_modulus_size(identity->pubkey))
        return openssl_failed("signing");
    return 0;
}

/* secret = good ? candidate : fallback, without a branch. */
static void secret_select(unsigned good, const uint8_t *candidate, const struct secret *fallback,
                          struct secret *secret)
{
    uint8_t mask = (uint8_t)(0 - good);
    for (size_t i = 0; i < SECRET_SIZE; i++)
        secret->bytes[i] = (uint8_t)((candidate[i] & mask) | (fallback->bytes[i] & (uint8_t)~mask));
}

int identity_unwrap(const struct identity *identity, struct span wrapped,
                    const struct secret *fallback, struct secret *secret)
{
    CLEANUP(pkey_ctx_cleanup)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(openssl()->context, identity->key, NULL);
    uint8_t opened[PUBKEY_MODULUS_MAX] = {0};
    size_t size = sizeof opened;
    int r;
    if (context == NULL || EVP_PKEY_decrypt_init(context) != 1 || rsa_scheme_oaep(context) != 1)
        return openssl_failed("preparing to unwrap");
    r = EVP_PKEY_decrypt(context, opened, &size, wrapped.data, wrapped.size);
    secret_select((unsigned)(r == 1) & (unsigned)(size == SECRET_SIZE), opened, fallback, secret);
    ERR_clear_error();
    secret_wipe(opened, sizeof opened);
    return 0;
}
