/* SPDX-License-Identifier: ISC */
/*
 * Tests crypto/random: that it fills what it is asked to, and not twice the same.
 */
#include "crypto/random.h"

#include <string.h>

#include "crypto/crypto.h"
#include "unit/cmocka_all.h"

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

static void test_every_byte_is_filled_and_no_more(void **state)
{
    uint8_t seen[66] = {0};
    uint8_t data[66];
    (void)state;
    /* A byte stays zero in all of 16 rounds with a chance of 2^-128. */
    for (int round = 0; round < 16; round++) {
        memset(data, 0, sizeof(data));
        assert_int_equal(random_bytes(data + 1, sizeof(data) - 2), 0);
        for (size_t i = 0; i < sizeof(data); i++)
            seen[i] |= data[i];
    }
    for (size_t i = 1; i < sizeof(seen) - 1; i++)
        assert_int_not_equal(seen[i], 0);
    assert_int_equal(seen[0] | seen[sizeof(seen) - 1], 0);
}

static void test_outputs_differ(void **state)
{
    uint8_t a[32];
    uint8_t b[32];
    (void)state;
    assert_int_equal(random_bytes(a, sizeof(a)), 0);
    assert_int_equal(random_bytes(b, sizeof(b)), 0);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_true((random_u32() | random_u32() | random_u32()) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_is_filled_and_no_more),
        cmocka_unit_test(test_outputs_differ),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
