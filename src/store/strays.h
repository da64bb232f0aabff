/* SPDX-License-Identifier: ISC */
/*
 * Messages whose state is their own (store/mark.h). Private to store/.
 */
#pragma once

#include "store/marks.h"

/*
 * An ordinary message, or one that has left the queue, becomes a stray that waits. 0, DB_FULL or
 * -EIO.
 */
int stray_make(struct db *db, struct mark *mark, const struct message_row *row);

/*
 * A stray gets its ticket. The ordinary ones in flight, which were before it, are strays already.
 * 0, DB_FULL or -EIO.
 */
int stray_draw(struct db *db, struct mark *mark, int64_t seq, const struct uuid *previous);
