/* SPDX-License-Identifier: ISC */
/*
 * The end of a message's time in the queue.
 */
#pragma once

#include "store/db.h"

enum { EXPIRY_MAX = 100 };

/*
 * Takes messages out of the queue whose time was over at `now_ms`: EXPIRED, or UNKNOWN if they were
 * transmitted, with their events. At most EXPIRY_MAX at a time: *count says how many. 0, DB_FULL or
 * -EIO.
 */
int expiry_apply(struct db *db, uint64_t now_ms, unsigned *count);

/* A time before which no message expires; 0: none ever does. 0 or -EIO. */
int expiry_next(struct db *db, uint64_t *at_ms);
