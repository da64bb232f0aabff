/* SPDX-License-Identifier: ISC */
/*
 * The queue of each peer: which messages are in it, and how they leave it.
 */
#include "store/queue.h"

#include <errno.h>
#include <stdlib.h>

#include "store/log.h"
#include "store/marks.h"
#include "store/message_columns.h"
#include "store/noted.h"
#include "store/settle.h"
#include "store/strays.h"

static bool in_queue(enum message_state state)
{
    return state == MESSAGE_QUEUED || state == MESSAGE_SENT;
}

static int run_with(struct db *db, const char *text, int64_t first, int64_t second)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, text);
    sql_bind_int(&query, first);
    sql_bind_int(&query, second);
    return sql_run(&query);
}

/* An outgoing message as it is now, without its body. 0, DB_NOT_FOUND or -EIO. */
static int find_row(struct db *db, int64_t seq, struct message_row *row)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, SELECT_MESSAGES "WHERE m.seq = ? AND m.type = 1");
    sql_bind_int(&query, seq);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    message_read(&query, row);
    row->client_id = NULL; /* they would end here */
    row->body = SPAN(NULL, 0);
    return query.result;
}

/* --- being transmitted ------------------------------------------------------------------------ */

static int transmit_stray(struct db *db, struct mark *mark, const struct message_row *row,
                          const struct uuid *previous, uint64_t now_ms)
{
    int r = stray_make_all(db, mark);
    if (r == 0 && !row->stray)
        r = stray_make(db, mark, row);
    if (r == 0)
        r = stray_draw(db, mark, row->seq, previous);
    if (r == 0)
        r = marks_tell(db, mark);
    if (r == 0)
        r = log_append_state(db, row->peer, row->seq, MESSAGE_SENT, NULL, now_ms);
    if (r != 0)
        return r;
    mark->last_out = mark->base = row->id;
    marks_touch(db, mark);
    return 0;
}

int queue_set_transmitted(struct db *db, int64_t seq, const struct uuid *previous, uint64_t now_ms)
{
    struct message_row row;
    int r = find_row(db, seq, &row);
    if (r == 0 && row.state != MESSAGE_QUEUED)
        return DB_NOT_FOUND;
    struct mark *mark = r == 0 ? marks_find(db, row.peer) : NULL;
    if (mark == NULL)
        return r != 0 ? r : -EIO;
    if (!row.stray && uuid_equal(previous, &mark->last_out)) {
        r = marks_find_next(db, mark);
        if (r != 0 || mark->next.seq == seq)
            return r != 0 ? r : marks_transmit(db, mark, now_ms);
    }
    return transmit_stray(db, mark, &row, previous, now_ms);
}

/* --- changing state --------------------------------------------------------------------------- */

static int leave(struct db *db, struct mark *mark, const struct message_row *row)
{
    if (mark->next.seq == row->seq)
        mark->next.seq = 0;
    if (row->stray)
        mark->strays--;
    mark_leave(mark, row->text_size);
    int r = noted_strike(db, row->expires_ms, row->seq);
    if (r != 0 || !row->stray)
        return r;
    CLEANUP(sql_end) struct sql query = sql_write(db, "DELETE FROM extra WHERE seq = ?");
    sql_bind_int(&query, row->seq);
    return sql_run(&query);
}

/* The row names its state from now on, and after which message it was transmitted. */
static int name_state(struct db *db, const struct message_row *row, enum message_state state)
{
    const bool had_ticket = row->stray && row->transmitted;
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "UPDATE log SET state = ?, detail = ifnull(?, detail) WHERE seq = ?");
    sql_bind_int(&query, state);
    sql_bind_blob(&query, had_ticket ? row->previous.bytes : NULL, UUID_SIZE);
    sql_bind_int(&query, row->seq);
    return sql_run(&query);
}

/* A state in which no message of the queue is. */
static int end_message(struct db *db, struct mark *mark, struct message_row *row,
                       enum message_state state)
{
    int r = name_state(db, row, state);
    if (r == 0 && in_queue(row->state))
        r = leave(db, mark, row);
    return r;
}

/* Back into the queue, or another state in it. */
static int keep_message(struct db *db, struct mark *mark, struct message_row *row,
                        enum message_state state)
{
    if (row->state == state)
        return 0;
    int r = row->stray ? 0 : stray_make(db, mark, row);
    if (r == 0 && state == MESSAGE_SENT)
        r = stray_draw(db, mark, row->seq, &mark->last_out);
    else if (r == 0)
        r = run_with(db, "UPDATE extra SET state = ? WHERE seq = ?", state, row->seq);
    return r;
}

/* Another change than the acknowledgement of the oldest: told by itself. */
static int change(struct db *db, struct mark *mark, struct message_row *row,
                  enum message_state state)
{
    int r = 0;
    if (row->state == MESSAGE_SENT && !row->stray) {
        r = stray_make_all(db, mark);
        if (r == 0)
            r = find_row(db, row->seq, row);
    }
    if (r == 0)
        r = in_queue(state) ? keep_message(db, mark, row, state)
                            : end_message(db, mark, row, state);
    marks_touch(db, mark);
    return r;
}

int queue_set_state(struct db *db, int64_t seq, enum message_state state, const char *reason,
                    uint64_t now_ms)
{
    struct message_row row;
    int r = find_row(db, seq, &row);
    struct mark *mark = r == 0 ? marks_find(db, row.peer) : NULL;
    if (mark == NULL)
        return r != 0 ? r : -EIO;
    if (row.state == MESSAGE_PROCESSED) /* which says more than any other */
        return DB_NOT_FOUND;
    const bool oldest = mark->inflight_count > 0 && mark_inflight(mark, 0)->seq == seq;
    if (oldest && state == MESSAGE_DELIVERED && reason == NULL)
        return marks_deliver(db, mark, now_ms);
    r = change(db, mark, &row, state);
    if (r == 0)
        r = marks_tell(db, mark);
    return r == 0 ? log_append_state(db, row.peer, seq, state, reason, now_ms) : r;
}

/* --- listing ---------------------------------------------------------------------------------- */

struct listing {
    unsigned counted;
    messages_visit *visit;
    void *context;
};

/* Leaves out what has left the queue. */
static int visit_queued(void *context, const struct message_row *row)
{
    const struct listing *listing = context;
    return in_queue(row->state) ? listing->visit(listing->context, row) : 1;
}

/* No message of the queue is before this seq. */
static int find_bound(struct db *db, const struct mark *mark, int64_t *bound)
{
    *bound = mark->delivered;
    if (mark->strays == 0)
        return 0;
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT min(seq) FROM extra WHERE peer = ? AND state IN (1, 2)");
    sql_bind_int(&query, mark->peer);
    const int64_t first = sql_row(&query) ? sql_int(&query) : 0;
    if (first > 0 && first - 1 < *bound)
        *bound = first - 1;
    return query.result;
}

static const char queue_settled[] =
    "SELECT " MESSAGE_COLUMNS " FROM message_of_peer o JOIN log m ON m.seq = o.seq"
    " JOIN peer p ON p.id = m.peer WHERE o.peer = ? AND o.type = 1 AND o.seq > ?"
    " AND (m.state IS NULL OR m.state = 15) ORDER BY o.seq";
static const char queue_unsettled[] = SELECT_MESSAGES
    "WHERE m.peer = ? AND m.seq > ? AND m.type = 1 AND (m.state IS NULL OR m.state = 15)"
    " ORDER BY m.seq";

static int walk_queue(struct db *db, const char *text, int64_t peer, int64_t after, unsigned limit,
                      struct listing *listing)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, text);
    sql_bind_int(&query, peer);
    sql_bind_int(&query, after);
    return message_walk(&query, limit, visit_queued, listing, &listing->counted);
}

int queue_each(struct db *db, int64_t peer, int64_t after_seq, unsigned limit,
               messages_visit *visit, void *context)
{
    struct listing listing = {.visit = visit, .context = context};
    const struct mark *mark = marks_find(db, peer);
    if (mark == NULL || mark->queue.messages == 0)
        return db->failed ? -EIO : 0;
    int64_t bound;
    int r = find_bound(db, mark, &bound);
    const int64_t settled = db->settled;
    const int64_t after = after_seq > bound ? after_seq : bound;
    if (r == 0 && after < settled)
        r = walk_queue(db, queue_settled, peer, after, limit, &listing);
    if (r == 0)
        r = walk_queue(db, queue_unsettled, peer, after > settled ? after : settled, limit,
                       &listing);
    return r;
}

int queue_size(struct db *db, int64_t peer, struct messages_size *size)
{
    *size = (struct messages_size){0};
    if (peer != 0) {
        const struct mark *mark = marks_find(db, peer);
        if (mark != NULL)
            *size = mark->queue;
        return db->failed ? -EIO : 0;
    }
    if (!marks_fresh(db))
        return -EIO;
    for (unsigned i = 0; i < db->marks->count; i++) {
        size->messages += db->marks->list[i]->queue.messages;
        size->bytes += db->marks->list[i]->queue.bytes;
    }
    return 0;
}
