/* SPDX-License-Identifier: ISC */
/*
 * How much of a turn one link may take.
 */
#include "core/turn.h"

void turn_init(struct turn *turn)
{
    *turn = (struct turn){.number = 0};
    list_init(&turn->touched);
    list_init(&turn->behind);
}

void turn_join(struct turn *turn)
{
    turn->workers++;
}

static bool is_shared(const struct turn *turn)
{
    return turn->workers > 1 || turn->before > 1;
}

unsigned turn_items(const struct turn *turn)
{
    return is_shared(turn) ? TURN_SHARED_ITEMS : TURN_ALONE_ITEMS;
}

static bool is_begun(const struct turn *turn, const struct turn_share *share)
{
    return share->used && share->number == turn->number;
}

bool turn_left(const struct turn *turn, const struct turn_share *share, uint64_t now_ms)
{
    const uint64_t limit_ms = is_shared(turn) ? TURN_SHARED_MS : TURN_ALONE_MS;
    return !is_begun(turn, share) ||
           (share->items < turn_items(turn) && now_ms - share->since_ms < limit_ms);
}

void turn_work(struct turn *turn, struct turn_share *share, uint64_t now_ms)
{
    if (!is_begun(turn, share)) {
        *share = (struct turn_share){.used = true, .number = turn->number, .since_ms = now_ms};
        turn_join(turn);
    }
    share->items++;
}

void turn_next(struct turn *turn)
{
    turn->number++;
    turn->before = turn->workers;
    turn->workers = 0;
}
