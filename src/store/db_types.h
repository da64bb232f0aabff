/* SPDX-License-Identifier: ISC */
/*
 * What everything in store/, and whoever asks it, speaks of: the database and what can come of a
 * call. What is done with the database as a whole is in store/db.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/outcome.h"

struct db;

enum db_outcome {
    DB_NOT_FOUND = OUTCOME_DB, /* no such row */
    DB_EXISTS,                 /* a unique value is taken */
    DB_FULL,                   /* the disk is full: nothing of this turn is kept */
    DB_TOO_NEW,                /* db_open(): made by a newer version */
    DB_DAMAGED,                /* db_open(): not a sound database */
};

enum { DB_INSTANCE_SIZE = 16 }; /* db_instance() */
