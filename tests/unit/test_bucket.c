/* SPDX-License-Identifier: ISC */
/*
 * Tests base/bucket: bursts, the average, and clocks that jump.
 */
#include "base/bucket.h"

#include "unit/cmocka_all.h"

static unsigned drain(struct bucket *bucket, uint64_t now_ms)
{
    unsigned taken = 0;
    while (taken < 1000 && bucket_take(bucket, now_ms))
        taken++;
    return taken;
}

static void test_new_bucket_holds_one_burst(void **state)
{
    struct bucket bucket;
    (void)state;
    bucket_init(&bucket, 10, 5, 1000);
    assert_int_equal(drain(&bucket, 1000), 5);
}

static void test_refill_keeps_the_average(void **state)
{
    struct bucket bucket;
    unsigned taken = 0;
    (void)state;
    bucket_init(&bucket, 7, 3, 0);
    drain(&bucket, 0);
    for (uint64_t ms = 1; ms <= 10000; ms++)
        taken += bucket_take(&bucket, ms);
    assert_int_equal(taken, 70);
}

static void test_token_comes_at_its_millisecond(void **state)
{
    struct bucket bucket;
    (void)state;
    bucket_init(&bucket, 4, 1, 0);
    assert_true(bucket_take(&bucket, 0));
    assert_false(bucket_take(&bucket, 249));
    assert_true(bucket_take(&bucket, 250));
}

static void test_silence_fills_to_the_burst_only(void **state)
{
    struct bucket bucket;
    (void)state;
    bucket_init(&bucket, UINT32_MAX, 5, 0);
    drain(&bucket, 0);
    assert_int_equal(drain(&bucket, UINT64_MAX), 5);
}

static void test_time_running_back_gives_nothing(void **state)
{
    struct bucket bucket;
    (void)state;
    bucket_init(&bucket, 1000, 5, 10000);
    drain(&bucket, 10000);
    assert_int_equal(drain(&bucket, 0), 0);
    assert_int_equal(drain(&bucket, 10000), 0);
    assert_int_equal(drain(&bucket, 10001), 1);
}

static void test_rate_zero_never_refills(void **state)
{
    struct bucket bucket;
    (void)state;
    bucket_init(&bucket, 0, 2, 0);
    assert_int_equal(drain(&bucket, 0), 2);
    assert_int_equal(drain(&bucket, UINT64_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_bucket_holds_one_burst),
        cmocka_unit_test(test_refill_keeps_the_average),
        cmocka_unit_test(test_token_comes_at_its_millisecond),
        cmocka_unit_test(test_silence_fills_to_the_burst_only),
        cmocka_unit_test(test_time_running_back_gives_nothing),
        cmocka_unit_test(test_rate_zero_never_refills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
