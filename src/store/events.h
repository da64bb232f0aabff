/* SPDX-License-Identifier: ISC */
/*
 * Events in the store: what followers read, in the order of their seq.
 *
 * A follower is a position in this table, never a queue in memory. Only committed events are read
 * here: what a follower saw is never undone.
 */
#pragma once

#include "store/messages.h"

enum event_type {
    EVENT_MESSAGE_RECEIVED = 0,
    EVENT_MESSAGE_SENT = 1,
    EVENT_MESSAGE_STATE = 2,
    EVENT_PEER_KEY_CHANGED = 3,
    EVENT_PEER_TRUST = 4,
    EVENT_PEER_MOVED = 6,      /* its key is used with another state directory now */
    EVENT_PEER_CLONED = 7,     /* two use its key at the same time */
    EVENT_IDENTITY_CLONED = 8, /* two use our key: the peer said so, or it answered in its place */
    EVENT_LAST = EVENT_IDENTITY_CLONED,
};

/* One event. Pointers live until the visitor returns. */
struct event_row {
    int64_t seq;
    enum event_type type;
    uint64_t time_ms; /* wall clock */
    int64_t peer;
    char peer_name[PEER_NAME_MAX];
    bool pinned;
    uint8_t key[PEER_KEY_SIZE]; /* as it is now, like the name */
    enum peer_trust trust;      /* when it happened */
    enum message_state state;   /* MESSAGE_STATE */
    const char *reason;         /* MESSAGE_STATE, or NULL */
    bool offered;               /* KEY_CHANGED */
    uint8_t offered_key[PEER_KEY_SIZE];
    const struct message_row *message; /* MESSAGE_*: as it is now; NULL when it is gone */
};

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
 * (of one peer, or of all when peer is 0), without requests and results. 0 or -EIO.
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
