/* SPDX-License-Identifier: ISC */
/*
 * Handing over the messages of one peer to another, some at a time. Each step leaves both as they
 * may be: what was handed over is the other's, what was not is still the first one's. So it may be
 * begun anew at any time, and goes on then.
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
