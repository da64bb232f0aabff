/* SPDX-License-Identifier: ISC */
/*
 * What is in flight to one peer.
 */
#include "core/inflight.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

void inflight_init(struct inflight *inflight)
{
    *inflight = (struct inflight){0};
}

void inflight_deinit(struct inflight *inflight)
{
    free(inflight->seqs);
}

int inflight_start(struct inflight *inflight)
{
    inflight_end(inflight);
    inflight->seqs = calloc(SESSION_WINDOW_ITEMS, sizeof *inflight->seqs);
    return inflight->seqs != NULL ? 0 : -ENOMEM;
}

void inflight_end(struct inflight *inflight)
{
    free(STEAL(inflight->seqs));
    inflight->position = (struct queue_position){0};
    inflight->given = inflight->acked = 0;
    inflight->due = false;
}

bool inflight_has_room(const struct inflight *inflight)
{
    const uint64_t window = inflight->poison_count > 0 ? 1 : SESSION_WINDOW_ITEMS;
    return inflight->given - inflight->acked < window;
}

void inflight_give(struct inflight *inflight, int64_t seq)
{
    inflight->given++;
    inflight->seqs[inflight->given % SESSION_WINDOW_ITEMS] = seq;
}

int64_t inflight_oldest(const struct inflight *inflight)
{
    if (inflight->given == inflight->acked)
        return 0;
    return inflight->seqs[(inflight->acked + 1) % SESSION_WINDOW_ITEMS];
}

void inflight_land(struct inflight *inflight)
{
    inflight->acked++;
    inflight->poison_count = 0;
}

int64_t inflight_blame(struct inflight *inflight)
{
    const int64_t head = inflight_oldest(inflight);
    if (head == 0)
        return 0;
    inflight->poison_count = inflight->poison_seq == head ? inflight->poison_count + 1 : 1;
    inflight->poison_seq = head;
    if (inflight->poison_count < INFLIGHT_POISON_SESSIONS)
        return 0;
    inflight->poison_count = 0;
    return head;
}
