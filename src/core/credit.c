/* SPDX-License-Identifier: ISC */
/*
 * Who gets how much of the memory for streams.
 */
#include "core/credit.h"

void credit_begin(struct credit_share *share)
{
    if (share->streams++ == 0)
        share->pool->sharers++;
}

void credit_end(struct credit_share *share, size_t credit)
{
    share->granted -= credit - CREDIT_BASE;
    share->pool->granted -= credit - CREDIT_BASE;
    if (--share->streams == 0)
        share->pool->sharers--;
}

bool credit_grow(struct credit_share *share, size_t *credit)
{
    size_t more = *credit;
    if (2 * *credit > CREDIT_MAX || share->pool->granted + more > CREDIT_SPARE / 4 * 3)
        return false;
    if (share->pool->sharers > 1 && share->granted + more > CREDIT_SPARE / 4)
        return false;
    share->granted += more;
    share->pool->granted += more;
    *credit *= 2;
    return true;
}
