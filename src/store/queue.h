/* SPDX-License-Identifier: ISC */
/*
 * The queue of each peer, and what becomes of the messages in it.
 *
 * What was transmitted goes out again first, in the order in which it was transmitted; then what
 * never was, in the order in which it was accepted.
 */
#pragma once

#include "base/outcome.h"
#include "store/messages.h"

enum queue_outcome {
    QUEUE_UNREADABLE = OUTCOME_QUEUE, /* of a visitor: the body can't be opened */
};

/* How far a session has come in what was transmitted before. All zero at its start. */
struct queue_position {
    int64_t mark;
    int64_t ticket;
};

/* What a session takes, and how far it has come. */
struct queue_session {
    uint32_t features; /* messages that need others are passed over */
    struct queue_position position;
    bool more; /* the last walk has done its share: call again */
};

enum {
    QUEUE_HOLD_STEP = 100,              /* messages that are passed over for good in one walk … */
    QUEUE_HOLD_STEP_BYTES = 512 * 1024, /* … with so much content: their rows are written anew */
};

/*
 * Visits what the session has yet to be given, in order; row->previous is fixed when
 * row->transmitted. The visitor gives a message to the session and, if it never was transmitted,
 * calls queue_set_transmitted(). One for which it returns QUEUE_UNREADABLE stays in the queue and
 * is passed over, now and in other sessions, until queue_retry(). If it returns another > 0 it has
 * done nothing, and the walk ends; < 0 is passed on. 0 or -errno.
 */
int queue_each_due(struct db *db, int64_t peer, struct queue_session *session,
                   messages_visit *visit, void *context);

/*
 * What could not be read is tried again in each queue: for the start of the daemon, when the disk
 * may have been mended. 0, DB_FULL or -EIO.
 */
int queue_retry(struct db *db);

/* The queue of a peer after `after_seq`, by seq, at most `limit`. 0 or -errno. */
int queue_each(struct db *db, int64_t peer, int64_t after_seq, unsigned limit,
               messages_visit *visit, void *context);

/*
 * The message was transmitted for the first time, after `previous`: state SENT with its event. 0,
 * DB_NOT_FOUND (no such message that is QUEUED), DB_FULL or -EIO.
 */
int queue_set_transmitted(struct db *db, int64_t seq, const struct uuid *previous, uint64_t now_ms);

enum { QUEUE_END_STEP = 100 };

/*
 * Ends QUEUE_END_STEP messages of a queue, the oldest first, for a reason that people are told:
 * those that were transmitted are UNKNOWN, the others CANCELLED. *more: there are others. 0,
 * DB_FULL or -errno.
 */
int queue_end(struct db *db, int64_t peer, const char *reason, uint64_t now_ms, bool *more);

/*
 * Changes the state and stores the event, with a reason for people (or NULL). 0, DB_NOT_FOUND (no
 * such message, or one that is PROCESSED), DB_FULL or -EIO.
 */
int queue_set_state(struct db *db, int64_t seq, enum message_state state, const char *reason,
                    uint64_t now_ms);

/*
 * How many messages of the queue wait for features that a peer with these lacks, as far as its
 * sessions have come upon them. 0 or -EIO.
 */
int queue_held(struct db *db, int64_t peer, uint32_t features, uint64_t *count);

/* How many messages of the queue of a peer turned out to be unreadable. 0 or -EIO. */
int queue_unreadable(struct db *db, int64_t peer, uint64_t *count);

/* The queue of one peer (0: of all). 0 or -EIO. */
int queue_size(struct db *db, int64_t peer, struct messages_size *size);
