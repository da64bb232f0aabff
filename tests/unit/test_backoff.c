/* SPDX-License-Identifier: ISC */
/*
 * Tests base/backoff: the shape of the series and the spread around it.
 */
#include "base/backoff.h"

#include "unit/cmocka_all.h"

static const struct backoff_plan plan = {.first_ms = 1000, .limit_ms = 300000};

/* The random number that gives (almost exactly) no spread. */
static const uint32_t middle = UINT32_C(1) << 31;

static void test_waits_double_up_to_the_limit(void **state)
{
    static const uint32_t expected[] = {1000,  2000,   4000,   8000,   16000, 32000,
                                        64000, 128000, 256000, 300000, 300000};
    struct backoff backoff = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_int_equal(backoff_next(&backoff, &plan, middle), expected[i]);
}

static void test_spread_is_a_fifth_either_way(void **state)
{
    struct backoff backoff = {0};
    (void)state;
    assert_int_equal(backoff_next(&backoff, &plan, 0), 800);
    backoff_reset(&backoff);
    assert_int_equal(backoff_next(&backoff, &plan, UINT32_MAX), 1200);
}

static void test_reset_starts_again(void **state)
{
    struct backoff backoff = {0};
    (void)state;
    for (int i = 0; i < 5; i++)
        backoff_next(&backoff, &plan, middle);
    backoff_reset(&backoff);
    assert_int_equal(backoff_next(&backoff, &plan, middle), 1000);
}

static void test_extreme_plans_do_not_overflow(void **state)
{
    const struct backoff_plan huge = {.first_ms = 1, .limit_ms = UINT32_MAX};
    const struct backoff_plan none = {0};
    const struct backoff_plan reversed = {.first_ms = 10, .limit_ms = 5};
    struct backoff backoff = {.failures = UINT32_MAX};
    (void)state;
    assert_int_equal(backoff_next(&backoff, &huge, UINT32_MAX), UINT32_MAX);
    assert_int_equal(backoff.failures, UINT32_MAX);
    assert_int_equal(backoff_next(&backoff, &reversed, middle), 5);
    backoff.failures = 1000;
    assert_int_equal(backoff_next(&backoff, &none, UINT32_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_double_up_to_the_limit),
        cmocka_unit_test(test_spread_is_a_fifth_either_way),
        cmocka_unit_test(test_reset_starts_again),
        cmocka_unit_test(test_extreme_plans_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
