/* SPDX-License-Identifier: ISC */
/*
 * The lives of the store: each time that it was open and something was added to it.
 *
 * Every seq belongs to one life. A copy of the store that is put in its place begins another life,
 * and gives to other events seqs that a client has seen already. So a client that keeps a seq keeps
 * the newest lives beside it, as text: they tell up to which seq both have the same events.
 *
 *     EPOCH/FIRST.TAG/FIRST.TAG...     newest first
 *
 * FIRST is the first seq of a life, TAG has 16 hexadecimal digits.
 */
#pragma once

#include "store/db_types.h"

enum {
    LIVES_IN_PAST = 12,
    LIVES_PAST_MAX = 480, /* with the NUL */
};

/* The lives up to now, as text. It is also right for what is added while the store stays open. */
void lives_past(const struct db *db, char past[static LIVES_PAST_MAX]);

/*
 * The newest seq up to `seq` that is the same event in `past` and here; 0 when there is none, or it
 * is not known. A `past` that is our EPOCH alone has all of them in common.
 */
int64_t lives_common(const struct db *db, const char *past, int64_t seq);

/* --- private to store/ ------------------------------------------------------------------------ */

/* Begins a life: what is added from now on has its tag. 0 or -errno. */
int lives_open(struct db *db);

/* Reads which lives the store had; again when a turn was undone. 0 or -errno. */
int lives_load(struct db *db);

/* A row with this seq is the next to be added. 0, DB_FULL or -errno. */
int lives_note(struct db *db, int64_t seq);

/* The first seq of the present life; INT64_MAX if nothing was added yet. */
int64_t lives_first(const struct db *db);

/*
 * What is committed by now was dated by a clock that was wrong (store/redate.h), and what follows
 * is not: the life goes on in a row of its own. 0, DB_FULL or -errno.
 */
int lives_part(struct db *db);

/* A time of the row with this seq, as it is right by now; 0 stays 0. */
uint64_t lives_time(const struct db *db, int64_t seq, int64_t time_ms);

/* A time that is not 0, moved; it does not become 0. */
uint64_t lives_moved(uint64_t time_ms, int64_t by_ms);
