/* SPDX-License-Identifier: ISC */
/*
 * The size of packets, from how long acknowledgements take. What goes into one is in
 * session_output.c.
 */
#include "proto/batch.h"

void batch_init(struct batch *batch)
{
    *batch = (struct batch){.size = BATCH_SIZE_MIN};
}

void batch_sent(struct batch *batch, size_t size, uint64_t ordinal, uint64_t now_ms)
{
    /* How quickly little gets through says nothing about much. */
    if (batch->ordinal != 0 || size < batch->size / 2)
        return;
    batch->ordinal = ordinal;
    batch->sent_ms = now_ms;
}

void batch_acknowledged(struct batch *batch, uint64_t ordinal, uint64_t now_ms)
{
    if (batch->ordinal == 0 || ordinal < batch->ordinal)
        return;
    uint64_t took_ms = now_ms - batch->sent_ms;
    if (took_ms <= BATCH_QUICK_MS && batch->size < BATCH_SIZE_MAX)
        batch->size *= 2;
    else if (took_ms > BATCH_SLOW_MS && batch->size > BATCH_SIZE_MIN)
        batch->size /= 2;
    batch->ordinal = 0;
}
