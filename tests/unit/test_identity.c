/* SPDX-License-Identifier: ISC */
/*
 * Tests crypto/identity: which files are an identity, and what wrapping hides.
 */
#include "crypto/identity.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "crypto/crypto.h"
#include "unit/cmocka_all.h"

static struct identity *shared; /* one key for all tests: making one is slow */

static int setup(void **state)
{
    (void)state;
    return crypto_init() < 0 ? -1 : identity_generate(&shared, IDENTITY_BITS_DEFAULT);
}

static int teardown(void **state)
{
    (void)state;
    identity_free(shared);
    crypto_deinit();
    return 0;
}

static int import(struct span pem, const char *passphrase)
{
    struct identity *identity = NULL;
    int r = identity_import(&identity, pem, passphrase);
    if (r == 0)
        assert_true(fingerprint_equal(pubkey_fingerprint(identity_pubkey(identity)),
                                      pubkey_fingerprint(identity_pubkey(shared))));
    else
        assert_null(identity);
    identity_free(identity);
    return r;
}

static int import_bio(BIO *bio, const char *passphrase)
{
    char *text;
    long size = BIO_get_mem_data(bio, &text);
    int r = import(SPAN(text, (size_t)size), passphrase);
    BIO_free(bio);
    return r;
}

/* The shared key in the hands of another implementation. */
static EVP_PKEY *shared_oracle(void)
{
    struct bytes pem = {0};
    EVP_PKEY *key;
    BIO *bio;
    assert_int_equal(identity_export(shared, NULL, &pem), 0);
    bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    assert_non_null(key);
    BIO_free(bio);
    bytes_deinit(&pem);
    return key;
}

static void test_generate_refuses_other_sizes(void **state)
{
    static const unsigned sizes[] = {0, 512, 1024, 2047, 2049, 2056, 8192, 0xffffffff};
    struct identity *identity = NULL;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        assert_int_equal(identity_generate(&identity, sizes[i]), -EINVAL);
    assert_null(identity);
    assert_int_equal(pubkey_modulus_size(identity_pubkey(shared)), 256);
    assert_int_equal(pubkey_check(identity_pubkey(shared)), 0);
}

static void test_plain_export_comes_back(void **state)
{
    struct bytes pem = {0};
    (void)state;
    assert_int_equal(identity_export(shared, NULL, &pem), 0);
    assert_memory_equal(pem.data, "-----BEGIN PRIVATE KEY-----\n", 28);
    assert_true(pem.size <= IDENTITY_PEM_MAX);
    assert_int_equal(import(bytes_span(&pem), NULL), 0);
    assert_int_equal(import(bytes_span(&pem), "not needed"), 0);
    bytes_deinit(&pem);
}

static void test_encrypted_export_needs_its_passphrase(void **state)
{
    struct bytes pem = {0};
    (void)state;
    assert_int_equal(identity_export(shared, "correct horse", &pem), 0);
    assert_memory_equal(pem.data, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", 38);
    assert_int_equal(import(bytes_span(&pem), "correct horse"), 0);
    assert_int_equal(import(bytes_span(&pem), NULL), IDENTITY_ENCRYPTED);
    assert_int_equal(import(bytes_span(&pem), ""), IDENTITY_PASSPHRASE);
    assert_int_equal(import(bytes_span(&pem), "correct horsf"), IDENTITY_PASSPHRASE);
    bytes_deinit(&pem);
}

static void test_empty_passphrase_encrypts(void **state)
{
    struct bytes pem = {0};
    (void)state;
    assert_int_equal(identity_export(shared, "", &pem), 0);
    assert_int_equal(import(bytes_span(&pem), NULL), IDENTITY_ENCRYPTED);
    assert_int_equal(import(bytes_span(&pem), ""), 0);
    bytes_deinit(&pem);
}

static void test_import_reads_what_others_write(void **state)
{
    EVP_PKEY *key = shared_oracle();
    const EVP_CIPHER *cipher = EVP_aes_256_cbc();
    BIO *bio;
    (void)state;
    bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(import_bio(bio, NULL), 0);
    for (int i = 0; i < 3; i++) {
        static const char *const passphrases[] = {"pass", NULL, "wrong"};
        static const int answers[] = {0, IDENTITY_ENCRYPTED, IDENTITY_PASSPHRASE};
        bio = BIO_new(BIO_s_mem());
        assert_int_equal(PEM_write_bio_PrivateKey_traditional(
                             bio, key, cipher, (const unsigned char *)"pass", 4, NULL, NULL),
                         1);
        assert_int_equal(import_bio(bio, passphrases[i]), answers[i]);
        bio = BIO_new(BIO_s_mem());
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, "pass", 4, NULL, NULL), 1);
        assert_int_equal(import_bio(bio, passphrases[i]), answers[i]);
    }
    EVP_PKEY_free(key);
}

static EVP_PKEY *make_key(const char *type, unsigned bits, unsigned long exponent)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    BIGNUM *e = BN_new();
    assert_int_equal(BN_set_word(e, exponent), 1);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e), 1);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    BN_free(e);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void test_import_refuses_other_kinds_of_keys(void **state)
{
    EVP_PKEY *keys[] = {
        make_key("RSA", 1024, 65537), make_key("RSA", 2056, 65537),
        make_key("RSA", 2048, 3),     make_key("RSA-PSS", 2048, 65537),
        EVP_EC_gen("P-256"),          EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        BIO *bio = BIO_new(BIO_s_mem());
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, keys[i], NULL, NULL, 0, NULL, NULL), 1);
        assert_int_equal(import_bio(bio, NULL), IDENTITY_UNSUITABLE);
        EVP_PKEY_free(keys[i]);
    }
}

static void test_import_refuses_what_is_no_private_key(void **state)
{
    static const char *const cases[] = {
        "",
        "\n",
        "junk",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: X\n\nMAA=\n-----END RSA PRIVATE KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
    };
    struct bytes pem = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(import(SPAN(cases[i], strlen(cases[i])), NULL), IDENTITY_MALFORMED);
    assert_int_equal(pubkey_export(identity_pubkey(shared), &pem), 0);
    assert_int_equal(import(bytes_span(&pem), NULL), IDENTITY_MALFORMED);
    bytes_clear(&pem);
    assert_int_equal(identity_export(shared, NULL, &pem), 0);
    for (size_t size = 0; size < pem.size - 30; size += 97)
        assert_int_equal(import(SPAN(pem.data, size), NULL), IDENTITY_MALFORMED);
    bytes_deinit(&pem);
}

/* A file that rotted: the numbers are there but do not belong together. */
static void test_import_refuses_damaged_numbers(void **state)
{
    EVP_PKEY *key = shared_oracle();
    unsigned char *der = NULL;
    int size = i2d_PrivateKey(key, &der);
    (void)state;
    assert_true(size > 1100);
    for (int at = 300; at < size - 8; at += 120) {
        BIO *bio = BIO_new(BIO_s_mem());
        int r;
        der[at] ^= 0x10;
        assert_true(PEM_write_bio(bio, PEM_STRING_RSA, "", der, size) > 0);
        r = import_bio(bio, NULL);
        assert_true(r == IDENTITY_UNSUITABLE || r == IDENTITY_MALFORMED);
        der[at] ^= 0x10;
    }
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}

/* --- wrapping --------------------------------------------------------------------------------- */

static const struct secret known_secret = {{1, 2, 3, [31] = 0xff}};
static const struct secret fallback = {{0xaa, [31] = 0x55}};

static void assert_unwraps_to(struct span wrapped, const struct secret *expected)
{
    struct secret secret = {{0}};
    assert_int_equal(identity_unwrap(shared, wrapped, &fallback, &secret), 0);
    assert_memory_equal(secret.bytes, expected->bytes, SECRET_SIZE);
}

static void test_wrapped_secret_comes_back(void **state)
{
    uint8_t wrapped[256];
    uint8_t again[256];
    (void)state;
    assert_int_equal(pubkey_wrap(identity_pubkey(shared), &known_secret, wrapped), 0);
    assert_int_equal(pubkey_wrap(identity_pubkey(shared), &known_secret, again), 0);
    assert_memory_not_equal(wrapped, again, sizeof(wrapped));
    assert_unwraps_to(SPAN(wrapped, sizeof(wrapped)), &known_secret);
    assert_unwraps_to(SPAN(again, sizeof(again)), &known_secret);
}

static void test_broken_wrapping_gives_the_fallback(void **state)
{
    uint8_t wrapped[257];
    (void)state;
    assert_int_equal(pubkey_wrap(identity_pubkey(shared), &known_secret, wrapped), 0);
    for (size_t bit = 0; bit < 8 * 256; bit += 37) {
        wrapped[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_unwraps_to(SPAN(wrapped, 256), &fallback);
        wrapped[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_unwraps_to(SPAN(wrapped, 255), &fallback);
    assert_unwraps_to(SPAN(wrapped, 257), &fallback);
    assert_unwraps_to(SPAN(wrapped, 0), &fallback);
    memset(wrapped, 0, sizeof(wrapped));
    assert_unwraps_to(SPAN(wrapped, 256), &fallback);
    memset(wrapped, 0xff, sizeof(wrapped));
    assert_unwraps_to(SPAN(wrapped, 256), &fallback);
}

/* Wraps as another implementation would, with these parameters. */
static void oracle_wrap(const EVP_MD *hash, const EVP_MD *mask, const char *label, size_t size,
                        uint8_t *wrapped)
{
    EVP_PKEY *key = shared_oracle();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    size_t wrapped_size = 256;
    assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(context, hash), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(context, mask), 1);
    assert_int_equal(
        EVP_PKEY_CTX_set0_rsa_oaep_label(context, OPENSSL_strdup(label), (int)strlen(label)), 1);
    assert_int_equal(EVP_PKEY_encrypt(context, wrapped, &wrapped_size, known_secret.bytes, size),
                     1);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
}

static void test_only_the_exact_parameters_unwrap(void **state)
{
    static const char own_label[] = "p2pchat/1 aes-key";
    uint8_t wrapped[256];
    (void)state;
    oracle_wrap(EVP_sha256(), EVP_sha256(), own_label, 32, wrapped);
    assert_unwraps_to(SPAN(wrapped, 256), &known_secret);
    oracle_wrap(EVP_sha1(), EVP_sha256(), own_label, 32, wrapped);
    assert_unwraps_to(SPAN(wrapped, 256), &fallback);
    oracle_wrap(EVP_sha256(), EVP_sha1(), own_label, 32, wrapped);
    assert_unwraps_to(SPAN(wrapped, 256), &fallback);
    oracle_wrap(EVP_sha256(), EVP_sha256(), "p2pchat/1 aes-kez", 32, wrapped);
    assert_unwraps_to(SPAN(wrapped, 256), &fallback);
    oracle_wrap(EVP_sha256(), EVP_sha256(), own_label, 31, wrapped);
    assert_unwraps_to(SPAN(wrapped, 256), &fallback);
    oracle_wrap(EVP_sha256(), EVP_sha256(), own_label, 0, wrapped);
    assert_unwraps_to(SPAN(wrapped, 256), &fallback);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generate_refuses_other_sizes),
        cmocka_unit_test(test_plain_export_comes_back),
        cmocka_unit_test(test_encrypted_export_needs_its_passphrase),
        cmocka_unit_test(test_empty_passphrase_encrypts),
        cmocka_unit_test(test_import_reads_what_others_write),
        cmocka_unit_test(test_import_refuses_other_kinds_of_keys),
        cmocka_unit_test(test_import_refuses_what_is_no_private_key),
        cmocka_unit_test(test_import_refuses_damaged_numbers),
        cmocka_unit_test(test_wrapped_secret_comes_back),
        cmocka_unit_test(test_broken_wrapping_gives_the_fallback),
        cmocka_unit_test(test_only_the_exact_parameters_unwrap),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
