/* SPDX-License-Identifier: ISC */
/*
 * When messages in the queue expire, for those that need an entry of their own (store/expiry.c says
 * which). Private to store/.
 */
#pragma once

#include "store/sql.h"

struct noted {
    uint64_t at_ms; /* 0: there is none */
    int64_t seq;
};

/* Notes when a message expires; one that never does (0) is not noted. 0, DB_FULL or -EIO. */
int noted_add(struct db *db, uint64_t at_ms, int64_t seq);

/* A message leaves the queue, noted or not. 0, DB_FULL or -EIO. */
int noted_strike(struct db *db, uint64_t at_ms, int64_t seq);

/* The one that expires first. 0 or -EIO. */
int noted_first(struct db *db, struct noted *noted);

/* Counts them; again when a turn was undone. 0 or -EIO. */
int noted_load(struct db *db);
