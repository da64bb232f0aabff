/* SPDX-License-Identifier: ISC */
/*
 * Settling: storing what follows from the log, which is done seldom. Private to store/.
 *
 * Marks, sums and `message_of_peer` are stored when they are settled, and rolled forward over the
 * rows after that when the store is opened, or read anew after a turn was undone. What a turn did
 * to the messages of a peer is one row of the log for each of SENT and DELIVERED.
 */
#pragma once

#include "store/db_types.h"

enum { SETTLE_TAIL_MAX = 4096 }; /* seqs that are not settled, before a commit settles them */

/* Tells of what happened (marks_tell()), and stores what follows from the log. 0, DB_FULL or
 * -errno. */
int settle_all(struct db *db);

/* Before the commit: tells of what happened, and settles when that is due. 0, DB_FULL or -errno. */
int settle_commit(struct db *db);
