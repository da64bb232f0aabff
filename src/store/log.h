/* SPDX-License-Identifier: ISC */
/*
 * The log: every row that has a place in the order of events. Private to store/.
 *
 * A row that tells of several messages takes as many seqs as it tells of, and has the last of them.
 * Its `detail` says which, in the order in which it happened to them:
 *
 *      0   2  number of runs
 *      2  12  each: first seq (8), number of messages with seqs from there on (4)
 *      .   n  why, for people
 */
#pragma once

#include "store/event_row.h"
#include "store/sql.h"

/* What a message's row says of its state when it does not name it: nothing (NULL), or this. */
enum { LOG_STRAY = 15 }; /* it is in the queue and has a row of its own in `extra` */

/* Messages with seqs one after the other. */
struct log_run {
    int64_t first;
    uint32_t count;
};

enum { LOG_RUNS_MAX = UINT16_MAX };

enum { LOG_MINUTE_MS = 60 * 1000 }; /* for each of which `minute` has the first row */

/* A row to append. What it does not have is zero, empty or NULL. */
struct log_row {
    enum event_type type;
    int64_t peer;
    bool trust_now; /* it is the peer's as the store has it */
    enum peer_trust trust;
    uint64_t time_ms;
    enum message_state state;          /* of a type that has one */
    const struct message_row *message; /* of a message: what else the row has */
    struct span detail;
    uint32_t width; /* seqs that it takes */
};

/* Appends a row; *seq is its last. 0, DB_EXISTS (the message's id is there), DB_FULL or -EIO. */
int log_append(struct db *db, const struct log_row *entry, int64_t *seq);

/* Appends what tells of one message whose state changed, with a reason for people or NULL. */
int log_append_state(struct db *db, int64_t peer, int64_t message, enum message_state state,
                     const char *reason, uint64_t now_ms);

/* Adds one message to a detail, which may be empty. 0 or -ENOMEM. */
int log_put(struct bytes *detail, int64_t message);

/* How many runs a detail has; 0 when it is too short for them. */
unsigned log_runs(struct span detail);

/* Whether all that a detail of a row tells of is before the row: to ask before log_get(). */
bool log_sound(struct span detail, int64_t seq);

/* One of the runs of a sound detail, and what stands behind them all. */
struct log_run log_get(struct span detail, unsigned index);
struct span log_reason(struct span detail);

/* The messages of all runs. */
uint32_t log_width(struct span detail);

/* For the migration: SQL's about(message, reason) gives a detail. An SQLite result code. */
int log_register(sqlite3 *sqlite);
