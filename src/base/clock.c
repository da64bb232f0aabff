/* SPDX-License-Identifier: ISC */
/*
 * The two clocks of the kernel, in milliseconds. No timers here: those belong to net/loop.
 */
#include "base/clock.h"

#include <time.h>

static uint64_t clock_ms(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) < 0 || now.tv_sec < 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t clock_monotonic_ms(void)
{
    return clock_ms(CLOCK_BOOTTIME);
}

uint64_t clock_suspended_ms(void)
{
    const uint64_t awake_ms = clock_ms(CLOCK_MONOTONIC), all_ms = clock_ms(CLOCK_BOOTTIME);
    return all_ms > awake_ms ? all_ms - awake_ms : 0;
}

uint64_t clock_wall_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}
