/* SPDX-License-Identifier: ISC */
/*
 * Tests base/clock: right units, right epochs, no step back.
 */
#include "base/clock.h"

#include <time.h>

#include "unit/cmocka_all.h"

static void test_wall_clock_is_milliseconds_since_1970(void **state)
{
    uint64_t before = (uint64_t)time(NULL);
    uint64_t now_ms = clock_wall_ms();
    uint64_t after = (uint64_t)time(NULL);
    (void)state;
    /* time() may lag behind by one tick of the kernel. */
    assert_in_range(now_ms / 1000, before, after + 1);
}

static void test_monotonic_clock_counts_suspend(void **state)
{
    struct timespec boot;
    uint64_t now_ms;
    (void)state;
    assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &boot), 0);
    now_ms = clock_monotonic_ms();
    assert_in_range(now_ms / 1000, (uint64_t)boot.tv_sec, (uint64_t)boot.tv_sec + 60);
}

static void test_monotonic_clock_never_steps_back(void **state)
{
    uint64_t last = clock_monotonic_ms();
    (void)state;
    for (int i = 0; i < 10000; i++) {
        uint64_t now = clock_monotonic_ms();
        assert_true(now >= last);
        last = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wall_clock_is_milliseconds_since_1970),
        cmocka_unit_test(test_monotonic_clock_counts_suspend),
        cmocka_unit_test(test_monotonic_clock_never_steps_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
