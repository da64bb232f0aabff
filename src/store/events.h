/* SPDX-License-Identifier: ISC */
/*
 * Events in the store: what followers read, in the order of their seq.
 *
 * A follower is a position in this table, never a queue in memory. Only committed events are read
 * here: what a follower saw is never undone.
 */
#pragma once

#include "store/db_types.h"
#include "store/event_row.h"

/*
 * Stores an event and sets event->seq. For KEY_CHANGED and TRUST; those of messages come from
 * messages.h. 0, DB_FULL or -EIO.
 */
int events_add(struct db *db, struct event_row *event);

/*
 * Visits the events after `after_seq` in order. A visitor that returns > 0 ends the walk and has
 * not taken that event; < 0 is passed on. 0 or -errno.
 */
int events_each(struct db *db, int64_t after_seq,
                int (*visit)(void *context, const struct event_row *event), void *context);

/* The seq of the newest committed event, 0 if there is none. */
int64_t events_last(const struct db *db);

/*
 * The seq after which to start so that the walk begins with the newest `count` received messages
 * (of one peer, or of all when peer is 0), without requests, results and files. 0 or -EIO.
 */
int events_tail(struct db *db, int64_t peer, unsigned count, int64_t *after_seq);

/*
 * The same for the newest `count` events for which wanted() is true; `kind` counts if it is a
 * message. Looks at no more than EVENTS_LOOK_BACK_MAX rows of the log, and then begins with fewer.
 */
enum { EVENTS_LOOK_BACK_MAX = 100000 };
typedef bool events_wanted(void *context, enum event_type type, enum message_kind kind,
                           int64_t peer);
int events_tail_of(struct db *db, events_wanted *wanted, void *context, unsigned count,
                   int64_t *after_seq);

/* The same so that it begins with the first event at or after a wall clock time. 0 or -EIO. */
int events_since(struct db *db, uint64_t since_ms, int64_t *after_seq);
