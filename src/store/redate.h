/* SPDX-License-Identifier: ISC */
/*
 * What a clock that was wrong has dated, dated anew.
 *
 * How old a row is was measured, for the store was open all the while: when the wall clock is found
 * to have been set, the times of what was added since then move with it. Rows of the log move by
 * their life (store/lives.h), and what is not in the log by the time that it has.
 */
#pragma once

#include "store/db.h"

/* A step of the wall clock between two turns. */
struct redate {
    int64_t by_ms;     /* how far it was set; a part of a minute is left out */
    uint64_t began_ms; /* when the store was opened, by the clock of before … */
    uint64_t ended_ms; /* … and now, by that clock */
};

/* Moves what is committed; what this turn has added has the right time. 0, DB_FULL or -errno. */
int redate_rows(struct db *db, const struct redate *step);
