/* SPDX-License-Identifier: ISC */
/*
 * The doorway: connections that somebody made to us, until their first bytes say what they are: a
 * handshake, or a lane of a session that exists.
 *
 * Whoever waits here is a stranger and counts as one; nothing is known and nothing was spent yet.
 */
#pragma once

#include "core/links.h"

struct streams;

struct doorway {
    const struct runtime *runtime;
    struct links *links;
    struct streams *streams;
    struct list visitors; /* oldest first */
    unsigned count;
    struct timer *timer;
};

/* 0 or -ENOMEM. All that is given outlives it. */
int doorway_init(struct doorway *doorway, const struct runtime *runtime, struct links *links,
                 struct streams *streams);
void doorway_deinit(struct doorway *doorway);

/* Takes in a connection, or closes it when there are too many strangers. */
void doorway_enter(struct doorway *doorway, struct stream *stream);

/* Passes on the connections that have said enough, and drops those that were closed. At the end of
 * the turn. */
void doorway_turn_end(struct doorway *doorway);
