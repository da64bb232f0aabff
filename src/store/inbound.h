/* SPDX-License-Identifier: ISC */
/*
 * How much of the disk goes to what came from a peer: counted as it comes and goes, never by
 * looking through it. The id of a message that was removed counts as well, as long as it is
 * remembered.
 */
#pragma once

#include <stddef.h>

#include "store/db_types.h"

struct mark;

enum { INBOUND_ID_BYTES = 100 }; /* of a removed message, in the table and in its indexes */

/* One was added; was removed, which leaves its id; or its id was forgotten. Private to store/. */
void inbound_add(struct db *db, struct mark *mark, uint64_t text_size);
void inbound_bury(struct db *db, struct mark *mark, uint64_t text_size);
void inbound_forget(struct db *db, struct mark *mark);

/* So many bytes of one peer are counted as another's from now on. Private to store/. */
void inbound_move(struct db *db, struct mark *from, struct mark *to, uint64_t bytes);

/* How many bytes are taken by what came from this peer (0: from all). 0 or -EIO. */
int inbound_bytes(struct db *db, int64_t peer, uint64_t *bytes);
