/* SPDX-License-Identifier: ISC */
/*
 * Tests crypto/secret.
 */
#include "crypto/secret.h"

#include "unit/cmocka_all.h"

static void test_equal_sees_every_bit(void **state)
{
    struct secret a = {{0}};
    struct secret b = {{0}};
    (void)state;
    assert_true(secret_equal(&a, &b, sizeof(a)));
    assert_true(secret_equal(&a, &b, 0));
    for (size_t bit = 0; bit < 8 * sizeof(a); bit++) {
        b.bytes[bit / 8] = (uint8_t)(1 << bit % 8);
        assert_false(secret_equal(&a, &b, sizeof(a)));
        b.bytes[bit / 8] = 0;
    }
}

static void test_wipe_leaves_zeros_and_its_surroundings(void **state)
{
    uint8_t data[6] = {1, 2, 3, 4, 5, 6};
    static const uint8_t expected[6] = {1, 0, 0, 0, 0, 6};
    (void)state;
    secret_wipe(data + 1, 4);
    assert_memory_equal(data, expected, sizeof(data));
}

static void test_cleanup_wipes_the_whole_secret(void **state)
{
    static const uint8_t ZERO[SECRET_SIZE];
    struct secret secret = {{1, [SECRET_SIZE - 1] = 2}};
    (void)state;
    secret_cleanup(&secret);
    assert_memory_equal(secret.bytes, ZERO, SECRET_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_sees_every_bit),
        cmocka_unit_test(test_wipe_leaves_zeros_and_its_surroundings),
        cmocka_unit_test(test_cleanup_wipes_the_whole_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
