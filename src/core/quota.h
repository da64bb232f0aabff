/* SPDX-License-Identifier: ISC */
/*
 * How much of our disk may go to messages from peers: to those of one, and to those of all.
 *
 * A peer that is beyond it keeps its messages: its link is not read from, none of them is
 * acknowledged, and after QUOTA_HOLD_MS the session ends. Then it may come again, and finds the
 * same until there is room. Others go on. What is sent to it leaves all the while.
 */
#pragma once

#include "core/link.h"
#include "core/runtime.h"

enum {
    QUOTA_HOLD_MS = 60 * 1000,
    QUOTA_EASE = 16, /* there is room again when one part in so many is free */
};

struct quota {
    const struct runtime *runtime;
    struct list full; /* peers that ran into it, by `peer->full` */
};

void quota_init(struct quota *quota, const struct runtime *runtime);

/*
 * Whether one more message of the link's peer may be stored. If not, the link is not read from any
 * more, and people are told once.
 */
bool quota_admits(struct quota *quota, struct link *link);

/* Whether all peers together are beyond what they may take. */
bool quota_spent(const struct quota *quota);

/* The turn is over: peers for which there is room again come back at once. */
void quota_turn(struct quota *quota);
