/* SPDX-License-Identifier: ISC */
/*
 * A token bucket counted in thousandths, so that one millisecond at one token per second is one
 * unit.
 */
#include "base/bucket.h"

static const uint64_t token = 1000;

void bucket_init(struct bucket *bucket, uint32_t per_second, uint32_t burst, uint64_t now_ms)
{
    bucket->per_second = per_second;
    bucket->burst = burst;
    bucket->milli_tokens = burst * token;
    bucket->last_ms = now_ms;
}

static void bucket_fill(struct bucket *bucket, uint64_t now_ms)
{
    uint64_t missing = bucket->burst * token - bucket->milli_tokens;
    uint64_t elapsed;
    if (now_ms <= bucket->last_ms)
        return;
    elapsed = now_ms - bucket->last_ms;
    bucket->last_ms = now_ms;
    if (bucket->per_second == 0)
        return;
    /* Comparing by division: elapsed * per_second may overflow after a long silence. */
    if (elapsed > missing / bucket->per_second)
        bucket->milli_tokens += missing;
    else
        bucket->milli_tokens += elapsed * bucket->per_second;
}

bool bucket_take(struct bucket *bucket, uint64_t now_ms)
{
    bucket_fill(bucket, now_ms);
    if (bucket->milli_tokens < token)
        return false;
    bucket->milli_tokens -= token;
    return true;
}
