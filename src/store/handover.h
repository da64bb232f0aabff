/* SPDX-License-Identifier: ISC */
/*
 * Handing over the messages of one peer to another, some at a time. After
 * each step both are sound: what was handed over is the other's, the rest is still the first one's.
 * So it may be stopped at any time, and goes on when it is begun anew.
 */
#pragma once

#include "store/messages.h"

enum {
    HANDOVER_STEP = 100,              /* messages in a step … */
    HANDOVER_STEP_BYTES = 512 * 1024, /* … with so much text */
    HANDOVER_LOOKS = 1000,            /* or rows looked at for what goes along */
};

/* Appends what takes the place of the row's body. 0 or -errno. */
typedef int handover_reseal(void *context, const struct message_row *row, struct bytes *body);

/* How far it has come; zero but for the two at its beginning. */
struct handover {
    int64_t from, to;
    int64_t ids_after, states_after; /* places in the order of seqs */
};

/*
 * Gives some messages of one peer to the other, then the ids of those that were removed, then what
 * was told of them; *more: there is more to do. The other must have none of these ids. 0, DB_FULL
 * or -errno.
 */
int handover_step(struct db *db, struct handover *handover, handover_reseal *reseal, void *context,
                  bool *more);
