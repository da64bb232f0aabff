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

/* A stray gets its ticket. The ordinary ones in flight, which were before it, are strays already.
 */
static int draw_stray(struct db *db, struct mark *mark, int64_t seq, const struct uuid *previous)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE extra SET state = 2, ticket_mark = ?, ticket = ?,"
                                     " prev = ? WHERE seq = ?");
    sql_bind_int(&query, mark->sent);
    sql_bind_int(&query, mark->ticket + 1);
    sql_bind_blob(&query, previous->bytes, UUID_SIZE);
    sql_bind_int(&query, seq);
    if (sql_run(&query) == 0)
        mark->ticket++;
    return query.result;
}

/* An ordinary message, or one that has left the queue, becomes a stray that waits. */
static int make_stray(struct db *db, struct mark *mark, const struct message_row *row)
{
    int r = run_with(db,
                     "INSERT INTO extra (peer, seq, state, place) VALUES (?1, ?2, 1, ?2)"
                     " ON CONFLICT (seq) DO UPDATE SET state = 1, place = ?2, prev = NULL",
                     row->peer, row->seq);
    if (r == 0)
        r = run_with(db, "UPDATE log SET state = ?, detail = NULL WHERE seq = ?", LOG_STRAY,
                     row->seq);
    if (r == 0)
        r = noted_add(db, row->expires_ms, row->seq);
    if (r != 0)
        return r;
    mark->strays++;
    if (mark->next.seq == row->seq)
        mark->next.seq = 0;
    if (!in_queue(row->state)) {
        mark->queue.messages++;
        mark->queue.bytes += row->text_size;
    }
    return 0;
}

static int transmit_stray(struct db *db, struct mark *mark, const struct message_row *row,
                          const struct uuid *previous, uint64_t now_ms)
{
    int r = marks_freeze(db, mark);
    if (r == 0 && !row->stray)
        r = make_stray(db, mark, row);
    if (r == 0)
        r = draw_stray(db, mark, row->seq, previous);
    if (r == 0)
        r = settle_peer(db, mark);
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
    int r = row->stray ? 0 : make_stray(db, mark, row);
    if (r == 0 && state == MESSAGE_SENT)
        r = draw_stray(db, mark, row->seq, &mark->last_out);
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
        r = marks_freeze(db, mark);
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
    const bool oldest = mark->flight_count > 0 && mark_flying(mark, 0)->seq == seq;
    if (oldest && state == MESSAGE_DELIVERED && reason == NULL)
        return marks_deliver(db, mark, now_ms);
    r = change(db, mark, &row, state);
    if (r == 0)
        r = settle_peer(db, mark);
    return r == 0 ? log_append_state(db, row.peer, seq, state, reason, now_ms) : r;
}

/* --- giving to a session ---------------------------------------------------------------------- */

static int visit_row(struct db *db, int64_t seq, const struct uuid *previous, messages_visit *visit,
                     void *context)
{
    struct message_row row;
    CLEANUP(sql_end) struct sql query = sql_read(db, SELECT_MESSAGES "WHERE m.seq = ?");
    sql_bind_int(&query, seq);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : sql_damage(db, "seq");
    message_read(&query, &row);
    if (query.result != 0)
        return query.result;
    if (previous != NULL)
        row.previous = *previous;
    return visit(context, &row);
}

/* The first stray in flight behind a position: its seq and ticket; none: seq 0. */
static int find_ticket(struct db *db, const struct mark *mark, struct queue_position *position,
                       int64_t *seq)
{
    *seq = 0;
    if (mark->strays == 0)
        return 0;
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT seq, ticket_mark, ticket FROM extra WHERE peer = ?"
                                    " AND state = 2 AND (ticket_mark, ticket) > (?, ?)"
                                    " ORDER BY ticket_mark, ticket LIMIT 1");
    sql_bind_int(&query, mark->peer);
    sql_bind_int(&query, position->mark);
    sql_bind_int(&query, position->ticket);
    if (sql_row(&query)) {
        *seq = sql_int(&query);
        position->mark = sql_int(&query);
        position->ticket = sql_int(&query);
    }
    return query.result;
}

/* The same of a stray that waits. */
static int find_waiting(struct db *db, const struct mark *mark, int64_t *seq)
{
    *seq = 0;
    if (mark->strays == 0)
        return 0;
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT seq FROM extra WHERE peer = ? AND level IS NULL"
                                    " AND needs IS NULL AND state = 1 ORDER BY place LIMIT 1");
    sql_bind_int(&query, mark->peer);
    if (sql_row(&query))
        *seq = sql_int(&query);
    return query.result;
}

/* The first in flight behind a position; flight_count: none. */
static unsigned find_flying(const struct mark *mark, const struct queue_position *position)
{
    unsigned low = 0, high = mark->flight_count;
    while (low < high) {
        const unsigned middle = low + (high - low) / 2;
        if (mark_flying(mark, middle)->seq <= position->mark)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* All that has a ticket was given. */
static void pass(const struct mark *mark, struct queue_position *position)
{
    *position = (struct queue_position){mark->sent, mark->ticket};
}

/* Gives what was transmitted before. 0: all of it; > 0: the visitor takes no more; < 0. */
static int each_transmitted(struct db *db, const struct mark *mark, struct queue_position *position,
                            messages_visit *visit, void *context)
{
    for (;;) {
        struct queue_position at = *position;
        int64_t seq;
        int r = find_ticket(db, mark, &at, &seq);
        if (r != 0)
            return r;
        if (seq != 0) {
            r = visit_row(db, seq, NULL, visit, context);
        } else {
            const unsigned n = find_flying(mark, position);
            if (n >= mark->flight_count)
                return 0;
            const struct uuid previous = *mark_before(mark, n);
            at = (struct queue_position){mark_flying(mark, n)->seq, 0};
            r = visit_row(db, at.mark, &previous, visit, context);
        }
        if (r != 0)
            return r;
        *position = at;
    }
}

static const char waiting_settled[] =
    "SELECT " MESSAGE_COLUMNS " FROM message_of_peer o JOIN log m ON m.seq = o.seq"
    " JOIN peer p ON p.id = m.peer WHERE o.peer = ? AND o.type = 1 AND o.seq > ?"
    " AND m.state IS NULL ORDER BY o.seq";
static const char waiting_unsettled[] = SELECT_MESSAGES
    "WHERE m.peer = ? AND m.seq > ? AND m.type = 1 AND m.state IS NULL ORDER BY m.seq";

/* Gives the ordinary messages that wait from mark->next on, up to a stray that does (0: none). */
static int each_waiting(struct db *db, struct mark *mark, int64_t stray,
                        struct queue_position *position, messages_visit *visit, void *context)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, mark->next.seq <= db->settled ? waiting_settled : waiting_unsettled);
    sql_bind_int(&query, mark->peer);
    sql_bind_int(&query, mark->next.seq - 1);
    while (sql_row(&query)) {
        struct message_row row;
        message_read(&query, &row);
        if (query.result != 0 || (stray != 0 && row.seq > stray))
            break;
        if (row.stray || row.state != MESSAGE_QUEUED)
            continue;
        if (mark->next.seq == 0)
            mark->next = (struct mark_item){row.seq, row.id, row.expires_ms, row.text_size};
        int r = visit(context, &row);
        if (r != 0)
            return r;
        pass(mark, position);
    }
    return query.result;
}

/* Gives what was never transmitted, as long as there is any. */
static int each_untransmitted(struct db *db, struct mark *mark, struct queue_position *position,
                              messages_visit *visit, void *context)
{
    for (;;) {
        int64_t stray;
        int r = find_waiting(db, mark, &stray);
        if (r == 0)
            r = marks_find_next(db, mark);
        if (r != 0 || (stray == 0 && mark->next.seq == 0))
            return r;
        if (stray != 0 && (mark->next.seq == 0 || stray < mark->next.seq))
            r = visit_row(db, stray, NULL, visit, context);
        else
            r = each_waiting(db, mark, stray, position, visit, context);
        if (r != 0)
            return r;
        pass(mark, position);
    }
}

int queue_each_due(struct db *db, int64_t peer, struct queue_position *position,
                   messages_visit *visit, void *context)
{
    struct mark *mark = marks_find(db, peer);
    if (mark == NULL)
        return db->failed ? -EIO : 0;
    int r = each_transmitted(db, mark, position, visit, context);
    if (r == 0)
        r = each_untransmitted(db, mark, position, visit, context);
    return r < 0 ? r : 0;
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
