/* SPDX-License-Identifier: ISC */
/*
 * New dates for what was dated by a wall clock that was wrong.
 *
 * The monotonic clock tells how old each row is that was added since the store was opened. So when
 * the wall clock turns out to have been set, the times of these rows move by as much. Rows of the
 * log move by their life (store/lives.h), and what is not in the log by the time that it has.
 */
#pragma once

#include "store/db.h"

/* A step of the wall clock between two turns. */
struct redate {
    int64_t by_ms;     /* how far it was set; a part of a minute is left out */
    uint64_t began_ms; /* when the store was opened, by the clock of before … */
    uint64_t ended_ms; /* … and now, by that clock */
};

/* What was added so far has the time of this turn, even if the next one commits it. */
void redate_turn_over(struct db *db);

/* Moves what earlier turns have added; what this one has added is right already. 0, DB_FULL or
 * -errno. */
int redate_rows(struct db *db, const struct redate *step);
