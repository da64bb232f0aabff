/* SPDX-License-Identifier: ISC */
/*
 * Messages in the store: history and queue are one log.
 *
 * A message's `seq` is the seq of the event that announced it, so history and events share one
 * order. Bodies are opaque here: they arrive sealed. What becomes of a message that was sent is in
 * store/queue.h.
 */
#pragma once

#include "store/db_types.h"
#include "store/message_row.h"

/*
 * Stores a message and its event (message.received or message.sent) and sets row->seq. One that was
 * received is the last of its peer from then on.
 * 0, DB_EXISTS (this peer, direction and id are known: nothing changed), DB_FULL or -EIO.
 */
int messages_add(struct db *db, struct message_row *row);

/*
 * Whether a message id of this peer and direction was ever stored, also if the message was removed
 * since. 0, DB_NOT_FOUND or -EIO.
 */
int messages_known(struct db *db, int64_t peer, enum message_direction direction,
                   const struct uuid *id);

/*
 * The id of the last message stored from the peer, or of the last ever transmitted to it; zero if
 * there is none. 0, DB_NOT_FOUND (no such peer) or -EIO.
 */
int messages_last(struct db *db, int64_t peer, enum message_direction direction, struct uuid *id);

/* One message by its id; ids of own messages are preferred. 0, DB_NOT_FOUND or -errno. */
int messages_get(struct db *db, const struct uuid *id, messages_visit *visit, void *context);

/*
 * The message of this peer, direction and id; not one that was removed. 0, DB_NOT_FOUND or -errno.
 */
int messages_find(struct db *db, int64_t peer, enum message_direction direction,
                  const struct uuid *id, messages_visit *visit, void *context);

/*
 * The one with this seq; of one that was removed only its names, seq, direction and state are left.
 * 0, DB_NOT_FOUND or -errno.
 */
int messages_at(struct db *db, int64_t seq, messages_visit *visit, void *context);

/* What messages_newest() asks for. */
struct messages_filter {
    int64_t peer;       /* 0: every peer */
    int64_t after_seq;  /* exclusive */
    int64_t before_seq; /* exclusive; 0: no bound */
    uint64_t since_ms;  /* time_ms at least */
    uint64_t until_ms;  /* time_ms below; 0: no bound */
    bool queued_only;   /* only what is in the queue */
    unsigned limit;     /* the newest so many */
};

/* Visits the newest messages that match, newest first. 0 or -errno. */
int messages_newest(struct db *db, const struct messages_filter *filter, messages_visit *visit,
                    void *context);

/* All that is stored. 0 or -EIO. */
int messages_count(struct db *db, struct messages_size *size);
