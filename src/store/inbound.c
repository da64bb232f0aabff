/* SPDX-License-Identifier: ISC */
/*
 * How much of the disk goes to what came from a peer.
 */
#include "store/inbound.h"

#include <errno.h>

#include "store/footprint.h"
#include "store/marks.h"

void inbound_add(struct db *db, struct mark *mark, uint64_t text_size)
{
    marks_count_inbound(db, mark, footprint_of(text_size), 0);
}

void inbound_bury(struct db *db, struct mark *mark, uint64_t text_size)
{
    marks_count_inbound(db, mark, INBOUND_ID_BYTES, footprint_of(text_size));
}

void inbound_forget(struct db *db, struct mark *mark)
{
    marks_count_inbound(db, mark, 0, INBOUND_ID_BYTES);
}

void inbound_move(struct db *db, struct mark *from, struct mark *to, uint64_t bytes)
{
    marks_count_inbound(db, to, bytes, 0);
    marks_count_inbound(db, from, 0, bytes);
}

int inbound_bytes(struct db *db, int64_t peer, uint64_t *bytes)
{
    const struct mark *mark = peer != 0 ? marks_find(db, peer) : NULL;
    *bytes = 0;
    if (!marks_fresh(db))
        return -EIO;
    if (peer == 0)
        *bytes = db->marks->inbound;
    else if (mark != NULL)
        *bytes = mark->inbound;
    return 0;
}
