/* SPDX-License-Identifier: ISC */
/*
 * Retention: what leaves the store for good, in small steps.
 *
 * A message is removed with its events; its id stays as a tombstone, so that a repetition that
 * comes late is not taken for a new message. What is in the queue is never removed, and no request
 * before it is over. Seqs are given without holes, so a hole is what tells a follower of what was
 * removed.
 */
#pragma once

#include "store/messages.h"

enum {
    RETENTION_STEP = 100,              /* events or messages removed at a time … */
    RETENTION_STEP_BYTES = 512 * 1024, /* … with so much text: all of it is written over first */
    RETENTION_REQUESTS = 1000,         /* requests looked at, at a time */
    RETENTION_IDS_DAYS = 400, /* tombstones stay longer than any peer may keep a message queued */
};

/* What may go. */
struct retention {
    uint64_t before_ms; /* everything from before this wall clock time; 0: nothing for its age */
    uint64_t keep_messages; /* the oldest beyond so many messages; 0: nothing for their number */
};

/* Each removes at most RETENTION_STEP and says in *removed how many. 0, DB_FULL or -EIO. */
int retention_apply(struct db *db, const struct retention *retention, uint64_t now_ms,
                    unsigned *removed);

/* Messages of one peer (0: of all) from before `before_ms` (0: of any time). With the commit they
 * are gone from the disk, too. */
int retention_purge(struct db *db, int64_t peer, uint64_t before_ms, uint64_t now_ms,
                    unsigned *removed);

/*
 * Tombstones and requests that are old enough. *more: the next step has something to remove, or to
 * look at; if not, it begins anew.
 */
int retention_forget_ids(struct db *db, uint64_t now_ms, unsigned *removed, bool *more);
