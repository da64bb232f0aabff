/* SPDX-License-Identifier: ISC */
/*
 * Time as the test wants it. One instance per process, as the real one.
 */
#include "unit/fake_clock.h"

#include "base/clock.h"

static uint64_t now_ms;

void fake_clock_set(uint64_t ms)
{
    now_ms = ms;
}

uint64_t clock_monotonic_ms(void)
{
    return now_ms;
}

uint64_t clock_wall_ms(void)
{
    return now_ms;
}
