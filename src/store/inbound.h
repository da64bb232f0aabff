/* SPDX-License-Identifier: ISC */
/*
 * How much of the disk goes to what came from a peer: counted as it comes and goes, never by
 * looking through it.
 *
 * A text of one byte takes much more on the disk than one byte, so what counts is what SQLite makes
 * of a row: its part of a page, whole pages behind that, and its places in the indexes. The id of a
 * message that was removed counts as well, as long as it is remembered.
 */
#pragma once

#include <stddef.h>

#include "store/db.h"

struct mark;
struct sqlite3;

enum { INBOUND_ID_BYTES = 100 }; /* of a removed message, in the table and in its indexes */

/* What a message takes that was received, by the bytes of its text. */
uint64_t inbound_size(size_t text_size);

/* One was added; was removed, which leaves its id; or its id was forgotten. Private to store/. */
void inbound_add(struct db *db, struct mark *mark, size_t text_size);
void inbound_bury(struct db *db, struct mark *mark, size_t text_size);
void inbound_forget(struct db *db, struct mark *mark);

/* So many bytes of one peer are counted as another's from now on. Private to store/. */
void inbound_move(struct db *db, struct mark *from, struct mark *to, uint64_t bytes);

/* How many bytes are taken by what came from this peer (0: from all). 0 or -EIO. */
int inbound_bytes(struct db *db, int64_t peer, uint64_t *bytes);

/* For the migration: SQL's inbound_size(text_size). An SQLite result code. */
int inbound_register(struct sqlite3 *sqlite);
