/* SPDX-License-Identifier: ISC */
/*
 * Tests crypto/digest by published answers, in parts and on the way.
 */
#include "crypto/digest.h"

#include "crypto/crypto.h"
#include "unit/cmocka_all.h"
#include "unit/hex.h"

static int setup(void **state)
{
    (void)state;
    return crypto_init();
}

static int teardown(void **state)
{
    (void)state;
    crypto_deinit();
    return 0;
}

static const char sha256_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char sha256_nothing[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static void test_known_answers(void **state)
{
    static const struct span abc_text = {(const uint8_t *)"abc", 3};
    uint8_t expected[SHA512_SIZE];
    uint8_t hash[SHA512_SIZE];
    (void)state;
    assert_int_equal(sha256(&abc_text, 1, hash), 0);
    unhex(sha256_abc, expected);
    assert_memory_equal(hash, expected, SHA256_SIZE);
    assert_int_equal(sha256(NULL, 0, hash), 0);
    unhex(sha256_nothing, expected);
    assert_memory_equal(hash, expected, SHA256_SIZE);
    assert_int_equal(sha512(&abc_text, 1, hash), 0);
    unhex("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
          "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
          expected);
    assert_memory_equal(hash, expected, SHA512_SIZE);
}

static void test_parts_are_concatenated(void **state)
{
    const struct span parts[] = {SPAN("a", 1), SPAN(NULL, 0), SPAN("bc", 2)};
    uint8_t expected[SHA256_SIZE];
    uint8_t hash[SHA256_SIZE];
    (void)state;
    unhex(sha256_abc, expected);
    assert_int_equal(sha256(parts, COUNT_OF(parts), hash), 0);
    assert_memory_equal(hash, expected, SHA256_SIZE);
}

static void test_running_value_may_be_read_on_the_way(void **state)
{
    struct sha256_state *running;
    uint8_t expected[SHA256_SIZE];
    uint8_t hash[SHA256_SIZE];
    (void)state;
    assert_int_equal(sha256_state_new(&running), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sha256_state_value(running, hash), 0);
        unhex(sha256_nothing, expected);
        assert_memory_equal(hash, expected, SHA256_SIZE);
    }
    assert_int_equal(sha256_state_add(running, SPAN("ab", 2)), 0);
    assert_int_equal(sha256_state_value(running, hash), 0);
    assert_int_equal(sha256_state_add(running, SPAN("c", 1)), 0);
    assert_int_equal(sha256_state_value(running, hash), 0);
    unhex(sha256_abc, expected);
    assert_memory_equal(hash, expected, SHA256_SIZE);
    sha256_state_free(running);
    sha256_state_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_parts_are_concatenated),
        cmocka_unit_test(test_running_value_may_be_read_on_the_way),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
