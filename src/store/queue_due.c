/* SPDX-License-Identifier: ISC */
/*
 * What of a queue is to be given to a session next: what was transmitted before, and then what
 * never was.
 */
#include <errno.h>

#include "store/message_columns.h"
#include "store/queue.h"
#include "store/strays.h"

/* One walk through what is due. */
struct walk {
    struct db *db;
    struct mark *mark;
    struct queue_session *session;
    messages_visit *visit;
    void *context;
    unsigned held; /* messages that the walk has passed over for good, by writing their rows … */
    size_t held_bytes;
};

static bool can_take(const struct walk *walk, const struct message_row *row)
{
    return !row->unreadable && (row->needs & ~walk->session->features) == 0;
}

/* --- what is passed over ---------------------------------------------------------------------- */

/* Whether the walk may pass over one more; else the session asks for another walk. */
static bool may_hold(struct walk *walk, const struct message_row *row)
{
    walk->held++;
    walk->held_bytes += row->text_size;
    walk->session->more = walk->held > QUEUE_HOLD_STEP || walk->held_bytes > QUEUE_HOLD_STEP_BYTES;
    return !walk->session->more;
}

/* It waits as a stray, so that the marks don't wait for it. */
static int set_aside(const struct walk *walk, const struct message_row *row)
{
    if (row->stray)
        return 0;
    if (row->state == MESSAGE_SENT)
        return stray_make_all(walk->db, walk->mark);
    marks_touch(walk->db, walk->mark);
    return stray_make(walk->db, walk->mark, row);
}

/* Sets one aside that the session can't take, or that nobody can read. */
static int hold(struct walk *walk, const struct message_row *row, bool unreadable)
{
    if (!may_hold(walk, row))
        return 1;
    int r = set_aside(walk, row);
    if (r != 0 || !unreadable)
        return r;
    CLEANUP(sql_end)
    struct sql query =
        sql_write(walk->db, "UPDATE extra SET needs = ifnull(needs, 0) | ? WHERE seq = ?");
    sql_bind_int(&query, NEEDS_REPAIR);
    sql_bind_int(&query, row->seq);
    return sql_run(&query);
}

/* --- what is given ---------------------------------------------------------------------------- */

static int visit_or_hold(struct walk *walk, const struct message_row *row)
{
    if (!can_take(walk, row))
        return row->stray ? 0 : hold(walk, row, false);
    int r = walk->visit(walk->context, row);
    return r == QUEUE_UNREADABLE ? hold(walk, row, true) : r;
}

static int visit_row(struct walk *walk, int64_t seq, const struct uuid *previous)
{
    struct db *db = walk->db;
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
    return visit_or_hold(walk, &row);
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

/* The next greater `needs` of strays that wait; false: there is none. */
static bool find_needs(const struct walk *walk, int64_t *needs)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(walk->db, "SELECT needs FROM extra WHERE peer = ? AND level IS NULL"
                                          " AND needs > ? AND state = 1 ORDER BY needs LIMIT 1");
    sql_bind_int(&query, walk->mark->peer);
    sql_bind_int(&query, *needs);
    if (!sql_row(&query))
        return false;
    *needs = sql_int(&query);
    return query.result == 0;
}

/* The first stray that waits and has these needs (0: none); none: seq 0. */
static int find_first(const struct walk *walk, int64_t needs, int64_t *seq)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(walk->db, "SELECT seq FROM extra WHERE peer = ? AND level IS NULL"
                                          " AND needs IS nullif(?, 0) AND state = 1"
                                          " ORDER BY place LIMIT 1");
    *seq = 0;
    sql_bind_int(&query, walk->mark->peer);
    sql_bind_int(&query, needs);
    if (sql_row(&query))
        *seq = sql_int(&query);
    return query.result;
}

/* The first stray that waits and that the session can take; none: seq 0. */
static int find_waiting(const struct walk *walk, int64_t *seq)
{
    int64_t needs = 0, found = 0;
    *seq = 0;
    if (walk->mark->strays == 0)
        return 0;
    do {
        if ((needs & ~(int64_t)walk->session->features) != 0)
            continue;
        int r = find_first(walk, needs, &found);
        if (r != 0)
            return r;
        if (found != 0 && (*seq == 0 || found < *seq))
            *seq = found;
    } while (find_needs(walk, &needs));
    return walk->db->failed ? -EIO : 0;
}

/* The first in flight behind a position; inflight_count: none. */
static unsigned find_inflight(const struct mark *mark, const struct queue_position *position)
{
    unsigned low = 0, high = mark->inflight_count;
    while (low < high) {
        const unsigned middle = low + (high - low) / 2;
        if (mark_inflight(mark, middle)->seq <= position->mark)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* All that has a ticket was given. */
static void pass(const struct walk *walk)
{
    walk->session->position = (struct queue_position){walk->mark->sent, walk->mark->ticket};
}

/* Gives what was transmitted before. 0: all of it; > 0: the visitor takes no more; < 0. */
static int each_transmitted(struct walk *walk)
{
    const struct mark *mark = walk->mark;
    struct queue_position *position = &walk->session->position;
    for (;;) {
        struct queue_position at = *position;
        int64_t seq;
        int r = find_ticket(walk->db, mark, &at, &seq);
        if (r != 0)
            return r;
        if (seq != 0) {
            r = visit_row(walk, seq, NULL);
        } else {
            const unsigned n = find_inflight(mark, position);
            if (n >= mark->inflight_count)
                return 0;
            const struct uuid previous = *mark_before(mark, n);
            at = (struct queue_position){mark_inflight(mark, n)->seq, 0};
            r = visit_row(walk, at.mark, &previous);
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
static int each_waiting(struct walk *walk, int64_t stray)
{
    struct db *db = walk->db;
    struct mark *mark = walk->mark;
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
        int r = visit_or_hold(walk, &row);
        if (r != 0)
            return r;
        pass(walk);
    }
    return query.result;
}

/* Gives what was never transmitted, as long as there is any. */
static int each_untransmitted(struct walk *walk)
{
    struct mark *mark = walk->mark;
    for (;;) {
        int64_t stray;
        int r = find_waiting(walk, &stray);
        if (r == 0)
            r = marks_find_next(walk->db, mark);
        if (r != 0 || (stray == 0 && mark->next.seq == 0))
            return r;
        if (stray != 0 && (mark->next.seq == 0 || stray < mark->next.seq))
            r = visit_row(walk, stray, NULL);
        else
            r = each_waiting(walk, stray);
        if (r != 0)
            return r;
        pass(walk);
    }
}

int queue_each_due(struct db *db, int64_t peer, struct queue_session *session,
                   messages_visit *visit, void *context)
{
    struct walk walk = {.db = db,
                        .mark = marks_find(db, peer),
                        .session = session,
                        .visit = visit,
                        .context = context};
    session->more = false;
    if (walk.mark == NULL)
        return db->failed ? -EIO : 0;
    int r = each_transmitted(&walk);
    if (r == 0)
        r = each_untransmitted(&walk);
    return r < 0 ? r : 0;
}

int queue_retry(struct db *db)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE extra SET needs = nullif(needs & ~?1, 0)"
                                     " WHERE needs >= ?1");
    sql_bind_int(&query, NEEDS_REPAIR);
    return sql_run(&query);
}

static int count_strays(struct db *db, const char *text, int64_t peer, int64_t bound,
                        uint64_t *count)
{
    const struct mark *mark = marks_find(db, peer);
    *count = 0;
    if (mark == NULL || mark->strays == 0)
        return db->failed ? -EIO : 0;
    CLEANUP(sql_end) struct sql query = sql_read(db, text);
    sql_bind_int(&query, peer);
    sql_bind_int(&query, bound);
    if (sql_row(&query))
        *count = (uint64_t)sql_int(&query);
    return query.result;
}

int queue_held(struct db *db, int64_t peer, uint32_t features, uint64_t *count)
{
    return count_strays(db,
                        "SELECT count(*) FROM extra WHERE peer = ? AND level IS NULL"
                        " AND needs > 0 AND state = 1 AND needs & ~? & 0xffffffff != 0",
                        peer, features, count);
}

int queue_unreadable(struct db *db, int64_t peer, uint64_t *count)
{
    uint64_t waiting, sent = 0;
    int r = count_strays(db,
                         "SELECT count(*) FROM extra WHERE peer = ? AND level IS NULL"
                         " AND needs >= ? AND state = 1",
                         peer, NEEDS_REPAIR, &waiting);
    if (r == 0)
        r = count_strays(db,
                         "SELECT count(*) FROM extra WHERE peer = ? AND needs >= ? AND state = 2",
                         peer, NEEDS_REPAIR, &sent);
    *count = waiting + sent;
    return r;
}
