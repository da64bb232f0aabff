/* SPDX-License-Identifier: ISC */
/*
 * How much of a turn one link may take: whoever has more to do goes on in the next turn, after the
 * commit and after all others. With nobody else at work the share is larger, because each commit
 * costs the same for many messages as for few.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

enum {
    TURN_ALONE_ITEMS = 512, /* messages, or packets without any … */
    TURN_ALONE_MS = 4,
    TURN_SHARED_ITEMS = 100, /* … when another link or a client has work in this turn or had in the
                                one before */
    TURN_SHARED_MS = 2,
};

/* The turn that goes on. */
struct turn {
    unsigned number;
    unsigned workers;    /* links and clients with work in it … */
    unsigned before;     /* … and in the one before it */
    struct list touched; /* links that there is work for at its end, by `link->touched` */
    struct list behind;  /* links that had their share and have more to do, by `link->behind` */
};

/* What one link has had of it. Zero before the first time. */
struct turn_share {
    bool used; /* in the turn of this number */
    unsigned number;
    unsigned items;
    uint64_t since_ms; /* monotonic, of its first item */
};

void turn_init(struct turn *turn);

/* Another client has work in this turn. */
void turn_join(struct turn *turn);

/* How many items a link may do in this turn. */
unsigned turn_items(const struct turn *turn);

/* Whether there is something left of the share of a link. */
bool turn_left(const struct turn *turn, const struct turn_share *share, uint64_t now_ms);

/* The link has done one more item. */
void turn_work(struct turn *turn, struct turn_share *share, uint64_t now_ms);

/* The turn is over. */
void turn_next(struct turn *turn);
