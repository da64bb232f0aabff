/* SPDX-License-Identifier: ISC */
/*
 * How many records share a packet: few at first, more while the other side acknowledges quickly.
 *
 * A packet has no effect until all of it is there. On a fast link large ones save signatures; on a
 * slow one they would be lost again and again, whenever the connection breaks before their end.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    BATCH_SIZE_MIN = 4096, /* bytes of signature and content */
    BATCH_SIZE_MAX = 65536,
    BATCH_QUICK_MS = 1000, /* acknowledged within this: twice as much next time */
    BATCH_SLOW_MS = 5000,  /* later than this: half as much */
};

struct batch {
    size_t size;      /* of the next packet */
    uint64_t ordinal; /* last item of the packet that is being watched; 0 for none */
    uint64_t sent_ms; /* when it left */
};

void batch_init(struct batch *batch);

/* A packet of `size` bytes leaves, whose last item has this ordinal. */
void batch_sent(struct batch *batch, size_t size, uint64_t ordinal, uint64_t now_ms);

/* The items up to this ordinal are acknowledged. */
void batch_acknowledged(struct batch *batch, uint64_t ordinal, uint64_t now_ms);
