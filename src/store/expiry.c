/* SPDX-License-Identifier: ISC */
/*
 * The end of a message's time in the queue.
 *
 * Messages mostly get the same time to live, so the first of a queue is the first to expire. One
 * that expires before a message that was accepted earlier has a row in `expiry`, as has any stray.
 */
#include "store/expiry.h"

#include <errno.h>

#include "store/marks.h"
#include "store/message_columns.h"
#include "store/noted.h"
#include "store/queue.h"

/* The first ordinary message in the queue, or NULL in *head. 0 or -EIO. */
static int find_head(struct db *db, struct mark *mark, const struct mark_item **head)
{
    *head = NULL;
    if (!mark_has_ordinary(mark))
        return 0;
    if (mark->inflight_count > 0) {
        *head = mark_inflight(mark, 0);
        return 0;
    }
    int r = marks_find_next(db, mark);
    if (r == 0 && mark->next.seq != 0)
        *head = &mark->next;
    return r;
}

/* Why a message was not transmitted. 0 or -EIO. */
static int find_reason(struct db *db, int64_t seq, const char **reason)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT e.needs & ~ifnull(p.features, 0xffffffff) FROM extra e"
                                    " JOIN peer p ON p.id = e.peer WHERE e.seq = ?"
                                    " AND e.needs != 0");
    sql_bind_int(&query, seq);
    const int64_t lacking = sql_row(&query) ? sql_int(&query) : 0;
    *reason = lacking >= NEEDS_REPAIR ? "what is stored of it can't be read"
              : lacking != 0          ? "the peer's p2pchat is too old for it"
                                      : "it could not be transmitted in time";
    return query.result;
}

static int end(struct db *db, int64_t seq, bool transmitted, uint64_t now_ms)
{
    if (transmitted)
        return queue_set_state(db, seq, MESSAGE_UNKNOWN,
                               "it was transmitted, but not confirmed in time", now_ms);
    const char *reason;
    int r = find_reason(db, seq, &reason);
    return r == 0 ? queue_set_state(db, seq, MESSAGE_EXPIRED, reason, now_ms) : r;
}

static int end_heads(struct db *db, struct mark *mark, uint64_t now_ms, unsigned *count)
{
    while (*count < EXPIRY_MAX) {
        const struct mark_item *head;
        int r = find_head(db, mark, &head);
        if (r != 0 || head == NULL || head->expires_ms == 0 || head->expires_ms > now_ms)
            return r;
        r = end(db, head->seq, mark->inflight_count > 0, now_ms);
        if (r != 0)
            return r;
        ++*count;
    }
    return 0;
}

static int read_state(void *context, const struct message_row *row)
{
    *(enum message_state *)context = row->state;
    return 0;
}

/* Ends a message that is in the queue still. */
static int end_noted(struct db *db, const struct noted *noted, uint64_t now_ms, unsigned *count)
{
    enum message_state state;
    int r = noted_strike(db, noted->at_ms, noted->seq);
    if (r == 0)
        r = messages_at(db, noted->seq, read_state, &state);
    if (r == DB_NOT_FOUND)
        return 0;
    if (r != 0 || (state != MESSAGE_QUEUED && state != MESSAGE_SENT))
        return r;
    ++*count;
    return end(db, noted->seq, state == MESSAGE_SENT, now_ms);
}

int expiry_apply(struct db *db, uint64_t now_ms, unsigned *count)
{
    *count = 0;
    if (!marks_fresh(db))
        return -EIO;
    int r = 0;
    for (unsigned i = 0; r == 0 && i < db->marks->count; i++)
        r = end_heads(db, db->marks->list[i], now_ms, count);
    while (r == 0 && *count < EXPIRY_MAX) {
        struct noted noted;
        r = noted_first(db, &noted);
        if (r != 0 || noted.at_ms == 0 || noted.at_ms > now_ms)
            return r;
        r = end_noted(db, &noted, now_ms, count);
    }
    return r;
}

int expiry_next(struct db *db, uint64_t *at_ms)
{
    struct noted noted;
    *at_ms = 0;
    if (!marks_fresh(db))
        return -EIO;
    int r = noted_first(db, &noted);
    if (r == 0)
        *at_ms = noted.at_ms;
    for (unsigned i = 0; r == 0 && i < db->marks->count; i++) {
        const struct mark_item *head;
        r = find_head(db, db->marks->list[i], &head);
        if (r == 0 && head != NULL && head->expires_ms != 0 &&
            (*at_ms == 0 || head->expires_ms < *at_ms))
            *at_ms = head->expires_ms;
    }
    return r;
}
