/* SPDX-License-Identifier: ISC */
/*
 * A token bucket: at most `burst` at once and `per_second` on average.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    uint32_t per_second;
    uint32_t burst;
    uint64_t milli_tokens; /* thousandths */
    uint64_t last_ms;      /* monotonic */
};

/* A full bucket. */
void bucket_init(struct bucket *bucket, uint32_t per_second, uint32_t burst, uint64_t now_ms);

/* Takes one token if there is one. */
bool bucket_take(struct bucket *bucket, uint64_t now_ms);
