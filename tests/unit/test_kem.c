/* SPDX-License-Identifier: ISC */
/*
 * Tests crypto/kem by known answers of FIPS 203 and by keys that are none. Needs an OpenSSL that
 * has the algorithm.
 */
#include "crypto/kem.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "crypto/crypto.h"
#include "unit/cmocka_all.h"
#include "unit/fake_random.h"
#include "unit/hex.h"
#include "vectors/vectors.h"

static int setup(void **state)
{
    (void)state;
    vectors_choose(VECTORS_SUITE_2);
    return crypto_init();
}

static int teardown(void **state)
{
    (void)state;
    crypto_deinit();
    return 0;
}

static void need_kem(void)
{
    if (!kem_available()) {
        print_message("SKIP: OpenSSL has no ML-KEM; from 3.5 on it does\n");
        skip();
    }
}

static void push(const char *name)
{
    fake_random_push(vector(name).data, vector(name).size);
}

static void assert_vector(const void *data, const char *name)
{
    assert_memory_equal(data, vector(name).data, vector(name).size);
}

/* The pair of the recorded joiner. */
static struct kem recorded_pair(uint8_t key[static KEM_KEY_SIZE])
{
    struct kem kem;
    push("joiner_mlkem_d");
    push("joiner_mlkem_z");
    assert_int_equal(kem_generate(&kem, key), 0);
    assert_int_equal(fake_random_left(), 0);
    return kem;
}

static void test_recorded_exchange_is_reproduced(void **state)
{
    uint8_t key[KEM_KEY_SIZE], ciphertext[KEM_CIPHERTEXT_SIZE];
    struct secret there, here;
    (void)state;
    need_kem();
    struct kem kem = recorded_pair(key);
    assert_vector(key, "mlkem_ek");
    push("host_mlkem_m");
    assert_int_equal(kem_encapsulate(key, ciphertext, &there), 0);
    assert_int_equal(fake_random_left(), 0);
    assert_vector(ciphertext, "mlkem_ct");
    assert_vector(there.bytes, "mlkem_ss");
    assert_int_equal(kem_decapsulate(&kem, ciphertext, &here), 0);
    assert_vector(here.bytes, "mlkem_ss");
}

/*
 * A hundred pairs, encapsulations and decapsulations, also of random ciphertexts, as one digest:
 * the accumulated vector of the Go library crypto/mlkem, whose inputs and outputs are streams of
 * SHAKE128.
 */
static void test_known_answers_of_the_standard(void **state)
{
    enum { COUNT = 100, INPUT = KEM_SEED_SIZE + 32 + KEM_CIPHERTEXT_SIZE };
    static uint8_t inputs[COUNT * INPUT];
    uint8_t key[KEM_KEY_SIZE], ciphertext[KEM_CIPHERTEXT_SIZE], digest[32], expected[32];
    EVP_MD_CTX *outputs = EVP_MD_CTX_new();
    struct secret there, here;
    struct kem kem;
    (void)state;
    need_kem();
    assert_int_equal(EVP_DigestInit_ex(outputs, EVP_shake128(), NULL), 1);
    assert_int_equal(EVP_DigestFinalXOF(outputs, inputs, sizeof(inputs)), 1);
    assert_int_equal(EVP_DigestInit_ex(outputs, EVP_shake128(), NULL), 1);
    for (const uint8_t *input = inputs; input < inputs + sizeof(inputs); input += INPUT) {
        fake_random_push(input, INPUT - KEM_CIPHERTEXT_SIZE);
        assert_int_equal(kem_generate(&kem, key), 0);
        assert_int_equal(kem_encapsulate(key, ciphertext, &there), 0);
        assert_int_equal(kem_decapsulate(&kem, ciphertext, &here), 0);
        assert_memory_equal(here.bytes, there.bytes, SECRET_SIZE);
        assert_int_equal(kem_decapsulate(&kem, input + INPUT - KEM_CIPHERTEXT_SIZE, &here), 0);
        EVP_DigestUpdate(outputs, key, sizeof(key));
        EVP_DigestUpdate(outputs, ciphertext, sizeof(ciphertext));
        EVP_DigestUpdate(outputs, there.bytes, SECRET_SIZE);
        EVP_DigestUpdate(outputs, here.bytes, SECRET_SIZE);
    }
    assert_int_equal(EVP_DigestFinalXOF(outputs, digest, sizeof(digest)), 1);
    EVP_MD_CTX_free(outputs);
    unhex("1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415", expected);
    assert_memory_equal(digest, expected, sizeof(digest));
}

static void test_changed_ciphertext_gives_another_secret(void **state)
{
    uint8_t key[KEM_KEY_SIZE];
    struct secret secret;
    (void)state;
    need_kem();
    struct kem kem = recorded_pair(key);
    assert_int_equal(kem_decapsulate(&kem, vector("ct_changed").data, &secret), 0);
    assert_vector(secret.bytes, "ct_changed_implicit_rejection_ss");
}

static void test_key_that_is_not_reduced_is_none(void **state)
{
    uint8_t ciphertext[KEM_CIPHERTEXT_SIZE];
    struct secret secret;
    (void)state;
    need_kem();
    assert_int_equal(kem_encapsulate(vector("ek_coefficient_0_is_q").data, ciphertext, &secret),
                     KEM_BAD_KEY);
}

static void test_fresh_pairs_agree(void **state)
{
    uint8_t first[KEM_KEY_SIZE], second[KEM_KEY_SIZE], ciphertext[KEM_CIPHERTEXT_SIZE];
    struct secret there, here;
    struct kem one, other;
    (void)state;
    need_kem();
    assert_int_equal(kem_generate(&one, first), 0);
    assert_int_equal(kem_generate(&other, second), 0);
    assert_memory_not_equal(first, second, KEM_KEY_SIZE);
    assert_int_equal(kem_encapsulate(first, ciphertext, &there), 0);
    assert_int_equal(kem_decapsulate(&one, ciphertext, &here), 0);
    assert_memory_equal(here.bytes, there.bytes, SECRET_SIZE);
    assert_int_equal(kem_decapsulate(&other, ciphertext, &here), 0);
    assert_memory_not_equal(here.bytes, there.bytes, SECRET_SIZE);
}

static void test_without_the_algorithm_everything_fails(void **state)
{
    uint8_t key[KEM_KEY_SIZE] = {0}, ciphertext[KEM_CIPHERTEXT_SIZE] = {0};
    struct secret secret;
    struct kem kem;
    (void)state;
    if (kem_available()) {
        print_message("SKIP: OpenSSL has ML-KEM\n");
        skip();
    }
    assert_int_equal(kem_generate(&kem, key), -EIO);
    assert_int_equal(kem_encapsulate(key, ciphertext, &secret), -EIO);
    assert_int_equal(kem_decapsulate(&kem, ciphertext, &secret), -EIO);
}

static void test_wiping_leaves_nothing(void **state)
{
    static const uint8_t zeros[sizeof(struct kem)];
    struct kem kem = {.seed = {1, 2, 3}};
    (void)state;
    kem_wipe(&kem);
    kem_wipe(&kem);
    assert_memory_equal(&kem, zeros, sizeof(kem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_exchange_is_reproduced),
        cmocka_unit_test(test_known_answers_of_the_standard),
        cmocka_unit_test(test_changed_ciphertext_gives_another_secret),
        cmocka_unit_test(test_key_that_is_not_reduced_is_none),
        cmocka_unit_test(test_fresh_pairs_agree),
        cmocka_unit_test(test_without_the_algorithm_everything_fails),
        cmocka_unit_test(test_wiping_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
