/* SPDX-License-Identifier: ISC */
/*
 * How long to wait before the next try. Pure arithmetic: the caller brings time and randomness.
 */
#pragma once

#include <stdint.h>

/* A series of waits: `first`, doubling up to `limit`. All in milliseconds. */
struct backoff_plan {
    uint32_t first_ms;
    uint32_t limit_ms;
};

struct backoff {
    unsigned failures; /* since the last success */
};

/*
 * The wait after one more failure by this plan, spread by +-20 % with `random` (any 32 bits).
 */
uint32_t backoff_next(struct backoff *backoff, const struct backoff_plan *plan, uint32_t random);

/* After a success: the next wait is the first one again. */
void backoff_reset(struct backoff *backoff);
