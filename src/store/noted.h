/* SPDX-License-Identifier: ISC */
/*
 * Messages whose time in the queue is noted apart (store/expiry.c says which), as long as they are
 * in it. Private to store/.
 */
#pragma once

#include "store/sql.h"

struct noted {
    uint64_t at_ms; /* 0: there is none */
    int64_t seq;
};

/* Notes a message that is over at `at_ms`; one that never is (0) is not noted. 0, DB_FULL or -EIO.
 */
int noted_add(struct db *db, uint64_t at_ms, int64_t seq);

/* A message leaves the queue, noted or not. 0, DB_FULL or -EIO. */
int noted_strike(struct db *db, uint64_t at_ms, int64_t seq);

/* The one that is over first. 0 or -EIO. */
int noted_first(struct db *db, struct noted *noted);

/* Counts them; again when a turn was undone. 0 or -EIO. */
int noted_load(struct db *db);
