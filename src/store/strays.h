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
 * A stray that is transmitted gets its ticket. The ordinary messages in flight before it must have
 * become strays (stray_make_all()).
 * 0, DB_FULL or -EIO.
 */
int stray_draw(struct db *db, struct mark *mark, int64_t seq, const struct uuid *previous);

/* Each ordinary message in flight becomes a stray. 0, DB_FULL or -errno. */
int stray_make_all(struct db *db, struct mark *mark);
