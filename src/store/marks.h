/* SPDX-License-Identifier: ISC */
/*
 * The marks of all peers, and what moves them. Private to store/.
 */
#pragma once

#include "store/log.h"
#include "store/mark.h"

struct marks {
    struct mark **list; /* by peer */
    unsigned count;
    unsigned capacity;
    struct list dirty;   /* those that differ from what is stored … */
    struct list telling; /* … and those that may have rows to append (marks_tell()) */
    uint64_t inbound;    /* of all together */
};

/*
 * Reads everything: what was settled, rolled forward over the rows of the log since. 0, -ENOMEM or
 * -EIO.
 */
int marks_load(struct db *db);

void marks_free(struct db *db);

/* The mark of a peer; NULL if there is no such peer or the store failed. It stays where it is. */
struct mark *marks_find(struct db *db, int64_t peer);

/* The same while all are being read, and one that is made if there is none (NULL: no memory). */
struct mark *marks_get(const struct marks *marks, int64_t peer);
struct mark *marks_make(struct marks *marks, int64_t peer);

/* Whether memory says what the store says: it is read anew after a turn was undone. */
bool marks_fresh(struct db *db);

/* A peer was added. 0, DB_FULL or -errno. */
int marks_add(struct db *db, int64_t peer);

/* A mark differs from what is stored. */
void marks_touch(struct db *db, struct mark *mark);

/* What was received from a peer takes more or less of the disk (store/footprint.h). */
void marks_count_inbound(struct db *db, struct mark *mark, uint64_t more, uint64_t less);

/* Appends the rows that tell of what happened to messages: a peer's, or all. 0, DB_FULL or -errno.
 */
int marks_tell(struct db *db, struct mark *mark);
int marks_tell_all(struct db *db);

/*
 * Ordinary messages of a peer after a seq, in order, for mark_item_read(): those that are settled,
 * and those that are not (which are asked for after `settled`).
 */
extern const char marks_settled_after[];
extern const char marks_unsettled_after[];
void mark_item_read(struct sql *query, struct mark_item *item);

/* Finds the first ordinary message that is queued: mark->next, with seq 0 when there is none. */
int marks_find_next(struct db *db, struct mark *mark);

/* mark->next is transmitted after `last_out`. 0, DB_FULL or -errno. */
int marks_transmit(struct db *db, struct mark *mark, uint64_t now_ms);

/* The oldest in flight is acknowledged. 0, DB_FULL or -errno. */
int marks_deliver(struct db *db, struct mark *mark, uint64_t now_ms);
