/* SPDX-License-Identifier: ISC */
/*
 * Memory for the bytes of streams: what is promised to each, so that promises are always kept.
 *
 * Every stream has CREDIT_BASE per direction for sure. What is left of a pool lets busy streams
 * have more, a peer at most a quarter of it while others have streams as well. What was granted is
 * taken back when its stream ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    CREDIT_BASE = 16 * 1024,
    CREDIT_MAX = 4 * 1024 * 1024,   /* of one stream and direction */
    CREDIT_STREAMS_MAX = 1024,      /* streams at once */
    CREDIT_SPARE = 8 * 1024 * 1024, /* of a pool, beside the base of all streams */
};

/* One direction of all streams. All zero is a valid start. */
struct credit_pool {
    size_t granted;   /* beyond the base */
    unsigned sharers; /* peers with streams */
};

/* What one peer has of it. */
struct credit_share {
    struct credit_pool *pool;
    size_t granted;
    unsigned streams;
};

/* A stream begins with CREDIT_BASE; what it has at its end is given back. */
void credit_begin(struct credit_share *share);
void credit_end(struct credit_share *share, size_t credit);

/* Doubles a stream's credit if there is that much; whether it did. */
bool credit_grow(struct credit_share *share, size_t *credit);
