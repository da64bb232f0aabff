/* SPDX-License-Identifier: ISC */
/*
 * Tests crypto/pubkey: which bytes are a key, and which bytes are its signature.
 */
#include "crypto/pubkey.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/crypto.h"
#include "crypto/digest.h"
#include "crypto/identity.h"
#include "unit/cmocka_all.h"
#include "unit/hex.h"

enum { HEADER_SIZE = 33, TRAILER_SIZE = 5 };

static const struct {
    size_t modulus_size;
    const char *header;
} SIZES[] = {
    {256, "30820122300d06092a864886f70d01010105000382010f003082010a0282010100"},
    {384, "308201a2300d06092a864886f70d01010105000382018f003082018a0282018100"},
    {512, "30820222300d06092a864886f70d01010105000382020f003082020a0282020100"},
};

/* One byte more than the longest, for the tests of length. */
struct spki {
    uint8_t bytes[PUBKEY_SPKI_MAX + 1];
    size_t size;
};

/* An encoding with the template's fixed bytes and a modulus that only looks like one. */
static struct spki spki_make(size_t i)
{
    struct spki spki = {.size = HEADER_SIZE + SIZES[i].modulus_size + TRAILER_SIZE};
    unhex(SIZES[i].header, spki.bytes);
    memset(spki.bytes + HEADER_SIZE, 0xa5, SIZES[i].modulus_size);
    unhex("0203010001", spki.bytes + HEADER_SIZE + SIZES[i].modulus_size);
    return spki;
}

static int accepts(const struct spki *spki)
{
    struct pubkey *key = NULL;
    int r = pubkey_new(&key, SPAN(spki->bytes, spki->size));
    pubkey_free(key);
    return r;
}

static void test_three_sizes_are_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        struct spki spki = spki_make(i);
        struct span span = SPAN(spki.bytes, spki.size);
        struct fingerprint expected;
        struct pubkey *key;
        assert_int_equal(pubkey_new(&key, span), 0);
        assert_int_equal(pubkey_modulus_size(key), SIZES[i].modulus_size);
        assert_int_equal(pubkey_spki(key).size, spki.size);
        assert_memory_equal(pubkey_spki(key).data, spki.bytes, spki.size);
        assert_int_equal(sha256(&span, 1, expected.bytes), 0);
        assert_true(fingerprint_equal(pubkey_fingerprint(key), &expected));
        assert_int_equal(pubkey_spki_size(SIZES[i].modulus_size), spki.size);
        assert_int_equal(pubkey_modulus_size_of_spki(spki.size), SIZES[i].modulus_size);
        pubkey_free(key);
    }
    assert_int_equal(pubkey_spki_size(128), 0);
    assert_int_equal(pubkey_modulus_size_of_spki(0), 0);
    assert_int_equal(pubkey_modulus_size_of_spki(295), 0);
}

static void test_every_flipped_fixed_bit_is_rejected(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        struct spki spki = spki_make(i);
        for (size_t bit = 0; bit < 8 * (HEADER_SIZE + TRAILER_SIZE); bit++) {
            size_t at = bit / 8 < HEADER_SIZE ? bit / 8 : bit / 8 + SIZES[i].modulus_size;
            spki.bytes[at] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(accepts(&spki), PUBKEY_MALFORMED);
            spki.bytes[at] ^= (uint8_t)(1 << bit % 8);
        }
        assert_int_equal(accepts(&spki), 0);
    }
}

static void test_implausible_moduli_are_rejected(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        struct spki spki = spki_make(i);
        uint8_t *first = spki.bytes + HEADER_SIZE;
        uint8_t *last = first + SIZES[i].modulus_size - 1;
        *last ^= 1;
        assert_int_equal(accepts(&spki), PUBKEY_MALFORMED);
        *last ^= 1;
        *first = 0x7f;
        assert_int_equal(accepts(&spki), PUBKEY_MALFORMED);
        *first = 0x80;
        assert_int_equal(accepts(&spki), 0);
    }
}

static void test_other_lengths_are_rejected(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        struct spki spki = spki_make(i);
        spki.size--;
        assert_int_equal(accepts(&spki), PUBKEY_MALFORMED);
        spki.size += 2;
        assert_int_equal(accepts(&spki), PUBKEY_MALFORMED);
        spki.size = 0;
        assert_int_equal(accepts(&spki), PUBKEY_MALFORMED);
        spki.size = HEADER_SIZE;
        assert_int_equal(accepts(&spki), PUBKEY_MALFORMED);
    }
}

/* --- with a real key -------------------------------------------------------------------------- */

static const struct span parts[] = {{(const uint8_t *)"two", 3}, {(const uint8_t *)" parts", 6}};

struct pair {
    struct identity *identity;
    const struct pubkey *key;
    EVP_PKEY *oracle; /* the same private key, for what our own functions never do */
    uint8_t signature[256];
};

static int setup(void **state)
{
    static struct pair pair;
    struct bytes pem = {0};
    BIO *bio;
    if (crypto_init() < 0 || identity_generate(&pair.identity, 2048) < 0 ||
        identity_export(pair.identity, NULL, &pem) < 0)
        return -1;
    pair.key = identity_pubkey(pair.identity);
    bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    pair.oracle = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    bytes_deinit(&pem);
    *state = &pair;
    return identity_sign(pair.identity, SIGNATURE_KEY, parts, 2, pair.signature);
}

static int teardown(void **state)
{
    struct pair *pair = *state;
    EVP_PKEY_free(pair->oracle);
    identity_free(pair->identity);
    crypto_deinit();
    return 0;
}

static int verify(const struct pair *pair, const uint8_t *signature, size_t size)
{
    return pubkey_verify(pair->key, SIGNATURE_KEY, parts, 2, SPAN(signature, size));
}

/* Signs as an independent implementation would, with this salt length. */
static void oracle_sign(const struct pair *pair, int salt_size, uint8_t *signature)
{
    static const char text[] = "p2pchat/1 key\0two parts";
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters;
    size_t size = 256;
    assert_int_equal(EVP_DigestSignInit(context, &parameters, EVP_sha256(), NULL, pair->oracle), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt_size), 1);
    assert_int_equal(
        EVP_DigestSign(context, signature, &size, (const uint8_t *)text, sizeof(text) - 1), 1);
    EVP_MD_CTX_free(context);
}

static void test_signature_is_over_purpose_and_parts(void **state)
{
    const struct pair *pair = *state;
    const struct span joined = SPAN("two parts", 9);
    const struct span other = SPAN("two partS", 9);
    const struct span signature = SPAN(pair->signature, 256);
    assert_int_equal(verify(pair, pair->signature, 256), 0);
    assert_int_equal(pubkey_verify(pair->key, SIGNATURE_KEY, &joined, 1, signature), 0);
    assert_int_equal(pubkey_verify(pair->key, SIGNATURE_KEY, &other, 1, signature), PUBKEY_FORGED);
    assert_int_equal(pubkey_verify(pair->key, SIGNATURE_IDENT, parts, 2, signature), PUBKEY_FORGED);
    assert_int_equal(pubkey_verify(pair->key, SIGNATURE_PACKET, parts, 2, signature),
                     PUBKEY_FORGED);
}

static void test_only_salts_of_32_bytes_verify(void **state)
{
    static const int others[] = {0, 20, 31, 33, 222};
    const struct pair *pair = *state;
    uint8_t signature[256];
    oracle_sign(pair, 32, signature);
    assert_int_equal(verify(pair, signature, 256), 0);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        oracle_sign(pair, others[i], signature);
        assert_int_equal(verify(pair, signature, 256), PUBKEY_FORGED);
    }
}

static void test_every_flipped_signature_bit_is_rejected(void **state)
{
    const struct pair *pair = *state;
    uint8_t signature[256];
    memcpy(signature, pair->signature, sizeof(signature));
    for (size_t bit = 0; bit < 8 * sizeof(signature); bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(verify(pair, signature, 256), PUBKEY_FORGED);
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void test_degenerate_signatures_are_rejected(void **state)
{
    const struct pair *pair = *state;
    uint8_t signature[257] = {0};
    assert_int_equal(verify(pair, signature, 256), PUBKEY_FORGED);
    signature[255] = 1;
    assert_int_equal(verify(pair, signature, 256), PUBKEY_FORGED);
    memset(signature, 0xff, sizeof(signature));
    assert_int_equal(verify(pair, signature, 256), PUBKEY_FORGED);
    memcpy(signature, pubkey_spki(pair->key).data + HEADER_SIZE, 256);
    assert_int_equal(verify(pair, signature, 256), PUBKEY_FORGED);
    memcpy(signature, pair->signature, 256);
    assert_int_equal(verify(pair, signature, 257), PUBKEY_FORGED);
    assert_int_equal(verify(pair, signature, 255), PUBKEY_FORGED);
    assert_int_equal(verify(pair, signature, 0), PUBKEY_FORGED);
}

/* s + n is the same number modulo n as the valid s, and must not be taken for it. */
static void test_signature_above_the_modulus_is_rejected(void **state)
{
    const struct pair *pair = *state;
    BIGNUM *n = BN_bin2bn(pubkey_spki(pair->key).data + HEADER_SIZE, 256, NULL);
    BIGNUM *s = BN_new();
    uint8_t signature[256];
    int tries = 0;
    do {
        assert_true(tries++ < 5000);
        assert_int_equal(identity_sign(pair->identity, SIGNATURE_KEY, parts, 2, signature), 0);
        assert_non_null(BN_bin2bn(signature, 256, s));
        assert_int_equal(BN_add(s, s, n), 1);
    } while (BN_num_bytes(s) > 256);
    assert_int_equal(verify(pair, signature, 256), 0);
    assert_int_equal(BN_bn2binpad(s, signature, 256), 256);
    assert_int_equal(verify(pair, signature, 256), PUBKEY_FORGED);
    BN_free(s);
    BN_free(n);
}

static void test_full_check_refuses_what_is_no_rsa_key(void **state)
{
    const struct pair *pair = *state;
    struct spki spki = spki_make(0);
    struct pubkey *key;
    assert_int_equal(pubkey_check(pair->key), 0);
    assert_int_equal(pubkey_new(&key, SPAN(spki.bytes, spki.size)), 0);
    assert_int_equal(pubkey_check(key), PUBKEY_MALFORMED);
    pubkey_free(key);
}

static void test_export_is_the_spki_in_pem(void **state)
{
    const struct pair *pair = *state;
    struct bytes pem = {0};
    unsigned char *der = NULL;
    EVP_PKEY *read;
    BIO *bio;
    assert_int_equal(pubkey_export(pair->key, &pem), 0);
    assert_memory_equal(pem.data, "-----BEGIN PUBLIC KEY-----\n", 27);
    bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    read = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    assert_non_null(read);
    assert_int_equal(i2d_PUBKEY(read, &der), pubkey_spki(pair->key).size);
    assert_memory_equal(der, pubkey_spki(pair->key).data, pubkey_spki(pair->key).size);
    OPENSSL_free(der);
    EVP_PKEY_free(read);
    BIO_free(bio);
    bytes_deinit(&pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_sizes_are_accepted),
        cmocka_unit_test(test_every_flipped_fixed_bit_is_rejected),
        cmocka_unit_test(test_implausible_moduli_are_rejected),
        cmocka_unit_test(test_other_lengths_are_rejected),
        cmocka_unit_test(test_signature_is_over_purpose_and_parts),
        cmocka_unit_test(test_only_salts_of_32_bytes_verify),
        cmocka_unit_test(test_every_flipped_signature_bit_is_rejected),
        cmocka_unit_test(test_degenerate_signatures_are_rejected),
        cmocka_unit_test(test_signature_above_the_modulus_is_rejected),
        cmocka_unit_test(test_full_check_refuses_what_is_no_rsa_key),
        cmocka_unit_test(test_export_is_the_spki_in_pem),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
