/* SPDX-License-Identifier: ISC */
/*
 * Exponential waits with spread. Knows neither the clock nor a source of randomness.
 */
#include "base/backoff.h"

#include <limits.h>

/* The wait before spreading: the first one, doubled once per earlier failure. */
static uint32_t backoff_plain(const struct backoff_plan *plan, unsigned failures)
{
    uint64_t wait = plan->first_ms;
    for (unsigned i = 0; i < failures && wait < plan->limit_ms; i++)
        wait *= 2;
    return wait < plan->limit_ms ? (uint32_t)wait : plan->limit_ms;
}

uint32_t backoff_next(struct backoff *backoff, const struct backoff_plan *plan, uint32_t random)
{
    uint64_t plain = backoff_plain(plan, backoff->failures);
    uint64_t permille = 800 + (((uint64_t)random * 401) >> 32);
    uint64_t wait = plain * permille / 1000;
    if (backoff->failures < UINT_MAX)
        backoff->failures++;
    return wait < UINT32_MAX ? (uint32_t)wait : UINT32_MAX;
}

void backoff_reset(struct backoff *backoff)
{
    backoff->failures = 0;
}
