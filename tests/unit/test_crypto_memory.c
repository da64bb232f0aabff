/* SPDX-License-Identifier: ISC */
/*
 * Tests crypto/ without memory: the N-th allocation fails, OpenSSL's or our own, for every N that
 * an operation comes to. It must say so or do without, never give a wrong result or half of one,
 * and work again afterwards.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "crypto/digest.h"
#include "crypto/identity.h"
#include "crypto/kdf.h"
#include "crypto/keyx.h"
#include "unit/cmocka_all.h"

/* --- memory that fails ------------------------------------------------------------------------ */

static struct {
    unsigned count;
    unsigned failing; /* counted from 1; 0 for none */
} calls;

static bool fails_now(void)
{
    return calls.failing != 0 && ++calls.count == calls.failing;
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails_now() ? NULL : malloc(size);
}

static void *openssl_realloc(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails_now() ? NULL : realloc(memory, size);
}

static void openssl_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

/* Stretching a passphrase takes memory and time on purpose, but not here. */
int __wrap_EVP_KDF_derive(EVP_KDF_CTX *context, uint8_t *stretched, size_t size,
                          const OSSL_PARAM params[]);

int __wrap_EVP_KDF_derive(EVP_KDF_CTX *context, uint8_t *stretched, size_t size,
                          const OSSL_PARAM params[])
{
    (void)context;
    (void)params;
    memset(stretched, 's', size);
    return 1;
}

static void ignore(const struct log_entry *entry)
{
    (void)entry;
}

/* --- operations ------------------------------------------------------------------------------- */

enum { SEALED_SIZE = 14 + AEAD_TAG_SIZE, MODULUS_SIZE = 256 };

static const char passphrase[] = "open sesame";
static const struct secret key = {{1, 2, 3}};
static const uint8_t iv[AEAD_IV_SIZE] = {4};
static const struct span text = {(const uint8_t *)"a text to hide", 14};

/* What was made while there was memory, for the operations to work on. */
static struct {
    struct identity *identity;
    const struct pubkey *pubkey;
    struct keyx keyx;
    uint8_t hash[SHA512_SIZE];
    uint8_t sealed[SEALED_SIZE];
    uint8_t signature[MODULUS_SIZE];
    uint8_t wrapped[MODULUS_SIZE];
    struct bytes plain_pem;
    struct bytes encrypted_pem;
} made;

static struct span bytes_of(const uint8_t block[static MODULUS_SIZE])
{
    return SPAN(block, MODULUS_SIZE);
}

static int seal(void)
{
    uint8_t sealed[SEALED_SIZE];
    int r = aead_seal(&key, iv, text, text, sealed);
    if (r == 0)
        assert_memory_equal(sealed, made.sealed, sizeof sealed);
    return r;
}

static int open_sealed(void)
{
    uint8_t opened[SEALED_SIZE];
    int r = aead_open(&key, iv, text, SPAN(made.sealed, SEALED_SIZE), opened);
    if (r == 0)
        assert_memory_equal(opened, text.data, text.size);
    return r;
}

static int hash(void)
{
    uint8_t short_hash[SHA256_SIZE], long_hash[SHA512_SIZE];
    int r = sha256(&text, 1, short_hash);
    if (r == 0)
        r = sha512(&text, 1, long_hash);
    if (r == 0)
        assert_memory_equal(long_hash, made.hash, sizeof long_hash);
    return r;
}

static int hash_on_the_way(void)
{
    uint8_t at_once[SHA256_SIZE], running[SHA256_SIZE];
    struct sha256_state *state = NULL;
    int r = sha256_state_new(&state);
    if (r == 0)
        r = sha256_state_add(state, text);
    if (r == 0)
        r = sha256_state_value(state, running);
    if (r == 0)
        r = sha256(&text, 1, at_once);
    if (r == 0)
        assert_memory_equal(running, at_once, sizeof running);
    sha256_state_free(state);
    return r;
}

static int derive(void)
{
    struct secret prk, okm;
    int r = hkdf_extract(text, text, &prk);
    return r == 0 ? hkdf_expand(&prk, &text, 1, &okm) : r;
}

static int agree(void)
{
    struct secret here, there;
    struct keyx keyx;
    int r = keyx_generate(&keyx);
    if (r < 0)
        assert_true(bytes_all_zero(keyx.private_key.bytes, SECRET_SIZE));
    if (r == 0)
        r = keyx_derive(&keyx, made.keyx.public_key, &here);
    if (r == KEYX_DEGENERATE)
        assert_true(bytes_all_zero(here.bytes, SECRET_SIZE));
    if (r == 0)
        r = keyx_derive(&made.keyx, keyx.public_key, &there);
    if (r == 0)
        assert_true(secret_equal(&here, &there, sizeof here));
    return r;
}

static int learn_key(void)
{
    struct pubkey *pubkey = NULL;
    int r = pubkey_new(&pubkey, pubkey_spki(made.pubkey));
    assert_int_equal(r == 0, pubkey != NULL);
    if (r == 0)
        r = pubkey_check(pubkey);
    pubkey_free(pubkey);
    return r;
}

static int show_key(void)
{
    struct bytes pem = {0};
    int r = pubkey_export(made.pubkey, &pem);
    bytes_deinit(&pem);
    return r;
}

static int sign(void)
{
    uint8_t signature[MODULUS_SIZE];
    int r = identity_sign(made.identity, SIGNATURE_PACKET, &text, 1, signature);
    return r == 0 ? pubkey_verify(made.pubkey, SIGNATURE_PACKET, &text, 1, bytes_of(signature)) : r;
}

static int verify(void)
{
    return pubkey_verify(made.pubkey, SIGNATURE_IDENT, &text, 1, bytes_of(made.signature));
}

/* A forged signature stays one. */
static int verify_forgery(void)
{
    int r = pubkey_verify(made.pubkey, SIGNATURE_KEY, &text, 1, bytes_of(made.signature));
    assert_int_not_equal(r, 0);
    return r == PUBKEY_FORGED ? 0 : r;
}

static int wrap(void)
{
    uint8_t wrapped[MODULUS_SIZE];
    return pubkey_wrap(made.pubkey, &key, wrapped);
}

/* The secret or the one in its place, and nothing else. */
static int unwrap(void)
{
    static const struct secret fallback = {{9, 9, 9}};
    struct secret secret;
    int r = identity_unwrap(made.identity, bytes_of(made.wrapped), &fallback, &secret);
    if (r == 0 && !secret_equal(&secret, &key, sizeof key)) {
        assert_true(secret_equal(&secret, &fallback, sizeof fallback));
        return -EIO;
    }
    return r;
}

static int import(const struct bytes *pem, const char *with)
{
    struct identity *identity = NULL;
    int r = identity_import(&identity, bytes_span(pem), with);
    assert_int_equal(r == 0, identity != NULL);
    identity_free(identity);
    return r;
}

static int import_plain(void)
{
    return import(&made.plain_pem, NULL);
}

static int import_encrypted(void)
{
    return import(&made.encrypted_pem, passphrase);
}

/* Never half a file. */
static int export(const char *with)
{
    struct bytes pem = {0};
    int r = identity_export(made.identity, with, &pem);
    assert_int_equal(r == 0, pem.size > 0);
    bytes_deinit(&pem);
    return r;
}

static int export_plain(void)
{
    return export(NULL);
}

static int export_encrypted(void)
{
    return export(passphrase);
}

/* There under a sanitizer only. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

/* OpenSSL loses memory when it can't start, and the process with it. */
static int start(void)
{
    int r;
    if (__lsan_disable != NULL)
        __lsan_disable();
    r = crypto_init();
    if (__lsan_enable != NULL)
        __lsan_enable();
    if (r == 0)
        crypto_deinit();
    return r;
}

/* --- tests ------------------------------------------------------------------------------------ */

enum {
    EACH = 60,     /* so many allocations fail one by one, of the others some */
    RECOVERY = 40, /* uses of a private key, whose blinding OpenSSL renews after 32 */
};

/* Runs the operation with the N-th allocation failing, for N = 1, 2, 3 … until it needs no more. */
static void starve(int (*operation)(void))
{
    unsigned failures = 0, tries = 0;
    assert_int_equal(operation(), 0); /* what is made once and for all is made now */
    do {
        calls.failing += calls.failing < EACH ? 1 : calls.failing / 4;
        calls.count = 0;
        failures += operation() != 0;
    } while (calls.count >= calls.failing);
    calls.failing = 0;
    assert_true(failures > 0);
    while (operation() != 0)
        assert_true(++tries < RECOVERY);
}

static void test_sealing(void **state)
{
    (void)state;
    starve(seal);
    starve(open_sealed);
}

static void test_hashing(void **state)
{
    (void)state;
    starve(hash);
    starve(hash_on_the_way);
    starve(derive);
}

static void test_agreeing_on_a_key(void **state)
{
    (void)state;
    starve(agree);
}

static void test_public_keys(void **state)
{
    (void)state;
    starve(learn_key);
    starve(show_key);
}

static void test_signatures(void **state)
{
    (void)state;
    starve(sign);
    starve(verify);
    starve(verify_forgery);
}

static void test_wrapping(void **state)
{
    (void)state;
    starve(wrap);
    starve(unwrap);
}

static void test_identity_files(void **state)
{
    (void)state;
    starve(import_plain);
    starve(export_plain);
    starve(import_encrypted);
    starve(export_encrypted);
}

/* Last, because keys of a library context that has ended are good for nothing. */
static void test_starting(void **state)
{
    (void)state;
    identity_free(made.identity);
    crypto_deinit();
    starve(start);
    assert_int_equal(crypto_init(), 0);
}

static int setup(void **state)
{
    (void)state;
    assert_int_equal(crypto_init(), 0);
    assert_int_equal(identity_generate(&made.identity, IDENTITY_BITS_DEFAULT), 0);
    made.pubkey = identity_pubkey(made.identity);
    assert_int_equal(keyx_generate(&made.keyx), 0);
    assert_int_equal(sha512(&text, 1, made.hash), 0);
    assert_int_equal(aead_seal(&key, iv, text, text, made.sealed), 0);
    assert_int_equal(identity_sign(made.identity, SIGNATURE_IDENT, &text, 1, made.signature), 0);
    assert_int_equal(pubkey_wrap(made.pubkey, &key, made.wrapped), 0);
    assert_int_equal(identity_export(made.identity, NULL, &made.plain_pem), 0);
    return identity_export(made.identity, passphrase, &made.encrypted_pem);
}

static int teardown(void **state)
{
    (void)state;
    bytes_deinit(&made.plain_pem);
    bytes_deinit(&made.encrypted_pem);
    crypto_deinit();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sealing),           cmocka_unit_test(test_hashing),
        cmocka_unit_test(test_agreeing_on_a_key), cmocka_unit_test(test_public_keys),
        cmocka_unit_test(test_signatures),        cmocka_unit_test(test_wrapping),
        cmocka_unit_test(test_identity_files),    cmocka_unit_test(test_starting),
    };
    log_set_sink(ignore);
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
        return 1;
    return cmocka_run_group_tests(tests, setup, teardown);
}
