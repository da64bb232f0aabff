/* SPDX-License-Identifier: ISC */
/*
 * The identity file: a key that is accepted is one that peers accept, and survives being written
 * and read again.
 *
 * The first byte of the input chooses the passphrase. What makes passphrases slow to try is left
 * out.
 */
#include <openssl/kdf.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "crypto/identity.h"
#include "fuzz/fuzz.h"
#include "unit/fake_random.h"

int __wrap_EVP_KDF_derive(EVP_KDF_CTX *context, unsigned char *key, size_t size,
                          const OSSL_PARAM params[]);
PKCS8_PRIV_KEY_INFO *__wrap_PKCS8_decrypt_ex(const X509_SIG *encrypted, const char *passphrase,
                                             int length, OSSL_LIB_CTX *library, const char *query);

/* The linker puts this in the place of scrypt. */
int __wrap_EVP_KDF_derive(EVP_KDF_CTX *context, unsigned char *key, size_t size,
                          const OSSL_PARAM params[])
{
    (void)context;
    (void)params;
    memset(key, 'k', size);
    return 1;
}

/* And this in the place of OpenSSL's own ways, whose cost only the file limits. */
PKCS8_PRIV_KEY_INFO *__wrap_PKCS8_decrypt_ex(const X509_SIG *encrypted, const char *passphrase,
                                             int length, OSSL_LIB_CTX *library, const char *query)
{
    (void)encrypted;
    (void)passphrase;
    (void)length;
    (void)library;
    (void)query;
    return NULL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return crypto_init();
}

static void check_public_half(const struct identity *identity)
{
    const struct pubkey *own = identity_pubkey(identity);
    struct pubkey *peers = NULL;
    assert(pubkey_modulus_size_of_spki(pubkey_spki(own).size) == pubkey_modulus_size(own));
    assert(pubkey_new(&peers, pubkey_spki(own)) == 0);
    assert(fingerprint_equal(pubkey_fingerprint(own), pubkey_fingerprint(peers)));
    pubkey_free(peers);
}

static void write_and_read(const struct identity *identity, const char *passphrase)
{
    CLEANUP(bytes_deinit) struct bytes pem = {0};
    struct identity *other = NULL;
    assert(identity_export(identity, passphrase, &pem) == 0);
    assert(pem.size <= IDENTITY_PEM_MAX);
    assert(identity_import(&other, bytes_span(&pem), passphrase) == 0);
    assert(fingerprint_equal(pubkey_fingerprint(identity_pubkey(identity)),
                             pubkey_fingerprint(identity_pubkey(other))));
    identity_free(other);
    other = NULL;
    if (passphrase == NULL)
        return;
    assert(identity_import(&other, bytes_span(&pem), NULL) == IDENTITY_ENCRYPTED && other == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const passphrases[] = {NULL, "", "secret"};
    const char *passphrase = size > 0 ? passphrases[data[0] % 3] : NULL;
    struct identity *identity = NULL;
    fake_random_reset();
    int r = identity_import(&identity, SPAN(data + (size > 0), size - (size > 0)), passphrase);
    assert(r >= 0 && (r == 0) == (identity != NULL));
    if (identity == NULL)
        return 0;
    check_public_half(identity);
    write_and_read(identity, NULL);
    write_and_read(identity, "secret");
    identity_free(identity);
    return 0;
}
