/* SPDX-License-Identifier: ISC */
/*
 * Features: what two sides have in common.
 */
#include "proto/features.h"
#include "unit/cmocka_all.h"

static void test_both_sides_need_a_bit(void **state)
{
    (void)state;
    assert_int_equal(features_common(0, UINT32_MAX), 0);
    assert_int_equal(features_common(UINT32_MAX, 0), 0);
    assert_int_equal(features_common(FEATURE_HEADERS | FEATURE_REACH, FEATURE_REACH),
                     FEATURE_REACH);
}

static void test_a_bit_counts_only_with_the_one_that_it_needs(void **state)
{
    static const struct {
        uint32_t alone, base;
    } pairs[] = {{FEATURE_CALLS, FEATURE_HEADERS}, {FEATURE_FILES, FEATURE_STREAMS}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        uint32_t both = pairs[i].alone | pairs[i].base;
        assert_int_equal(features_common(both, both), both);
        assert_int_equal(features_common(pairs[i].alone, both), 0);
        assert_int_equal(features_common(both, pairs[i].alone), 0);
        assert_int_equal(features_common(pairs[i].base, both), pairs[i].base);
    }
}

static void test_what_is_said_of_one_connection_is_not_remembered(void **state)
{
    (void)state;
    assert_int_equal(features_lasting(FEATURE_PATH_INDIRECT | FEATURE_STREAMS), FEATURE_STREAMS);
    assert_int_equal(features_lasting(UINT32_MAX), INT32_MAX);
}

static void test_bits_have_names_or_none(void **state)
{
    (void)state;
    assert_string_equal(features_name(0), "headers");
    assert_string_equal(features_name(8), "streams");
    assert_null(features_name(7));
    assert_null(features_name(31));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_sides_need_a_bit),
        cmocka_unit_test(test_a_bit_counts_only_with_the_one_that_it_needs),
        cmocka_unit_test(test_what_is_said_of_one_connection_is_not_remembered),
        cmocka_unit_test(test_bits_have_names_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
