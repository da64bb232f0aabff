/* SPDX-License-Identifier: ISC */
/*
 * Tests crypto/keyx by RFC 7748 section 6.1 and by points that share nothing.
 */
#include "crypto/keyx.h"

#include "crypto/crypto.h"
#include "unit/cmocka_all.h"
#include "unit/fake_random.h"
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

static void test_known_answer_on_both_sides(void **state)
{
    static const struct {
        const char *private_key;
        const char *public_key;
    } SIDES[] = {
        {"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
         "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"},
        {"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
         "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"},
    };
    struct keyx sides[2];
    struct secret expected;
    struct secret shared;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint8_t public_key[KEYX_SIZE];
        uint8_t private_key[KEYX_SIZE];
        unhex(SIDES[i].private_key, private_key);
        unhex(SIDES[i].public_key, public_key);
        fake_random_push(private_key, sizeof(private_key));
        assert_int_equal(keyx_generate(&sides[i]), 0);
        assert_int_equal(fake_random_left(), 0);
        assert_memory_equal(sides[i].public_key, public_key, KEYX_SIZE);
    }
    unhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", expected.bytes);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(keyx_derive(&sides[i], sides[1 - i].public_key, &shared), 0);
        assert_memory_equal(shared.bytes, expected.bytes, SECRET_SIZE);
    }
}

/* The points of low order and all their encodings: not reduced, and with the ignored top bit. */
static void test_low_order_points_are_degenerate(void **state)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    static const uint8_t ZERO[SECRET_SIZE];
    struct keyx keyx;
    uint8_t point[KEYX_SIZE];
    (void)state;
    assert_int_equal(keyx_generate(&keyx), 0);
    for (size_t i = 0; i < 2 * COUNT_OF(points); i++) {
        struct secret shared = {{1}};
        unhex(points[i / 2], point);
        point[KEYX_SIZE - 1] |= (uint8_t)(i % 2 << 7);
        assert_int_equal(keyx_derive(&keyx, point, &shared), KEYX_DEGENERATE);
        assert_memory_equal(shared.bytes, ZERO, SECRET_SIZE);
    }
}

static void test_pairs_are_fresh(void **state)
{
    struct keyx a;
    struct keyx b;
    (void)state;
    assert_int_equal(keyx_generate(&a), 0);
    assert_int_equal(keyx_generate(&b), 0);
    assert_memory_not_equal(a.public_key, b.public_key, KEYX_SIZE);
}

static void test_wipe_leaves_nothing_and_may_be_repeated(void **state)
{
    static const struct keyx ZERO;
    struct keyx keyx;
    (void)state;
    assert_int_equal(keyx_generate(&keyx), 0);
    keyx_wipe(&keyx);
    keyx_wipe(&keyx);
    assert_memory_equal(&keyx, &ZERO, sizeof(keyx));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answer_on_both_sides),
        cmocka_unit_test(test_low_order_points_are_degenerate),
        cmocka_unit_test(test_pairs_are_fresh),
        cmocka_unit_test(test_wipe_leaves_nothing_and_may_be_repeated),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
