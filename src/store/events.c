/* SPDX-License-Identifier: ISC */
/*
 * Rows of events. Whatever is told to a follower is committed: walks end at the newest committed
 * event.
 */
#include "store/events.h"

#include <errno.h>
#include <string.h>

#include "store/lives.h"
#include "store/log.h"
#include "store/marks.h"
#include "store/message_columns.h"

int events_add(struct db *db, struct event_row *event)
{
    if (marks_find(db, event->peer) == NULL)
        return db->failed ? -EIO : -EINVAL;
    const struct log_row entry = {
        .type = event->type,
        .peer = event->peer,
        .trust = event->trust,
        .time_ms = event->time_ms,
        .detail = SPAN(event->offered_key, event->offered ? PEER_KEY_SIZE : 0),
        .width = 1,
    };
    return log_append(db, &entry, &event->seq);
}

/* --- walking ---------------------------------------------------------------------------------- */

typedef int events_visit(void *context, const struct event_row *event);

/* One walk, and the row of the log that it is at. */
struct walk {
    struct db *db;
    int64_t after;
    events_visit *visit;
    void *context;
    struct event_row event;
    struct bytes reason; /* with its NUL */
};

/* One of the numbers has no meaning. */
static enum event_type read_type(struct sql *query)
{
    const int type = sql_enum(query, EVENT_LAST);
    if (type == EVENT_PEER_TRUST + 1)
        query->result = sql_damage(query->db, "type");
    return (enum event_type)type;
}

/* The columns that every row has: those of a message begin with them. */
static void read_event(struct sql *query, struct event_row *event)
{
    *event = (struct event_row){.seq = sql_int(query)};
    event->type = read_type(query);
    event->peer = sql_int(query);
    sql_copy_text(query, event->peer_name, sizeof event->peer_name);
    event->pinned = sql_copy(query, event->key, PEER_KEY_SIZE);
    event->trust = (enum peer_trust)sql_enum(query, PEER_BLOCKED);
    event->time_ms = lives_time(query->db, event->seq, sql_int(query));
}

static int visit_message(struct walk *walk, struct sql *query)
{
    struct message_row row;
    query->columns = 0; /* from the row's beginning */
    message_read(query, &row);
    if (query->result != 0)
        return query->result;
    walk->event.message = &row;
    int r = walk->visit(walk->context, &walk->event);
    walk->event.message = NULL;
    return r;
}

/* Tells of one message whose state changed; not if it is gone. */
static int visit_state(struct walk *walk, int64_t seq, int64_t message)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(walk->db, SELECT_MESSAGES "WHERE m.seq = ? AND m.type <= 1");
    sql_bind_int(&query, message);
    struct message_row row;
    if (!sql_row(&query))
        return query.result;
    message_read(&query, &row);
    if (query.result != 0)
        return query.result;
    walk->event.seq = seq;
    walk->event.message = &row;
    int r = walk->visit(walk->context, &walk->event);
    walk->event.message = NULL;
    return r;
}

static struct span read_detail(struct sql *query)
{
    enum { COLUMNS_BETWEEN = 7 }; /* those of messages */
    query->columns += COLUMNS_BETWEEN;
    return sql_blob(query);
}

static int read_reason(struct walk *walk, struct span detail)
{
    const struct span reason = log_reason(detail);
    bytes_clear(&walk->reason);
    int r = bytes_append(&walk->reason, reason.data, reason.size);
    if (r == 0)
        r = bytes_append_u8(&walk->reason, 0);
    walk->event.reason = reason.size > 0 ? (const char *)walk->reason.data : NULL;
    return r;
}

/* Each message of a row that tells of states has a seq of its own; the row has the last. */
static int visit_states(struct walk *walk, struct sql *query)
{
    walk->event.state = (enum message_state)sql_enum(query, MESSAGE_PROCESSED);
    const struct span detail = read_detail(query);
    const unsigned runs = log_runs(detail);
    if (query->result == 0 && !message_state_exists((int)walk->event.state))
        return sql_damage(walk->db, "state");
    if (query->result != 0 || !log_sound(detail, walk->event.seq))
        return query->result != 0 ? query->result : sql_damage(walk->db, "detail");
    int64_t seq = walk->event.seq - log_width(detail);
    int r = read_reason(walk, detail);
    for (unsigned i = 0; r == 0 && i < runs; i++) {
        const struct log_run run = log_get(detail, i);
        for (uint32_t k = 0; r == 0 && k < run.count; k++)
            if (++seq > walk->after)
                r = visit_state(walk, seq, run.first + k);
    }
    return r;
}

static int visit_row(struct walk *walk, struct sql *query)
{
    read_event(query, &walk->event);
    if (query->result != 0)
        return query->result;
    switch (walk->event.type) {
    case EVENT_MESSAGE_RECEIVED:
    case EVENT_MESSAGE_SENT:
        return visit_message(walk, query);
    case EVENT_MESSAGE_STATE:
        return visit_states(walk, query);
    case EVENT_PEER_KEY_CHANGED:
    case EVENT_PEER_TRUST:
    case EVENT_PEER_MOVED:
    case EVENT_PEER_CLONED:
    case EVENT_IDENTITY_CLONED:
        break;
    }
    sql_int(query); /* it has no state */
    const struct span key = read_detail(query);
    walk->event.offered = key.size == PEER_KEY_SIZE;
    if (walk->event.offered)
        memcpy(walk->event.offered_key, key.data, PEER_KEY_SIZE);
    else if (key.size != 0)
        return sql_damage(walk->db, "detail");
    return walk->visit(walk->context, &walk->event);
}

int events_each(struct db *db, int64_t after_seq, events_visit *visit, void *context)
{
    struct walk walk = {.db = db, .after = after_seq, .visit = visit, .context = context};
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, SELECT_MESSAGES "WHERE m.seq > ? AND m.seq <= ? ORDER BY m.seq");
    sql_bind_int(&query, after_seq);
    sql_bind_int(&query, db->last);
    int r = 0;
    while (r == 0 && sql_row(&query))
        r = visit_row(&walk, &query);
    bytes_deinit(&walk.reason);
    return r < 0 ? r : query.result;
}

/* --- where to begin --------------------------------------------------------------------------- */

int64_t events_last(const struct db *db)
{
    return db->last;
}

/* How many seqs a row takes. */
static int read_width(struct db *db, int64_t seq, int64_t *width)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT detail FROM log WHERE seq = ? AND type = 2");
    sql_bind_int(&query, seq);
    *width = sql_row(&query) ? log_width(sql_blob(&query)) : 1;
    return query.result;
}

/* Runs a query for the first row of a walk; without one it begins with what is to come. */
static int read_first(struct sql *query, int64_t *after_seq)
{
    const int64_t first = sql_row(query) ? sql_int(query) : 0;
    int64_t width = 0;
    int r = query->result;
    if (r == 0 && first > 0)
        r = read_width(query->db, first, &width);
    *after_seq = first > 0 ? first - width : query->db->last;
    return r;
}

/* The newest received messages of one peer: what is not settled, and what is. */
static const char tail_of_peer[] =
    "SELECT min(seq) FROM (SELECT seq FROM ("
    " SELECT seq FROM log WHERE seq > ?4 AND seq <= ?1 AND type = 0 AND peer = ?2"
    " AND ifnull(kind, 0) <= 1"
    " UNION ALL SELECT o.seq FROM message_of_peer o JOIN log m ON m.seq = o.seq"
    " WHERE o.peer = ?2 AND o.type = 0 AND o.seq <= ?1 AND ifnull(m.kind, 0) <= 1"
    ") ORDER BY seq DESC LIMIT ?3)";
static const char tail_of_all[] =
    "SELECT min(seq) FROM (SELECT seq FROM log WHERE ?2 = 0 AND type = 0 AND seq <= ?1"
    " AND ifnull(kind, 0) <= 1 ORDER BY seq DESC LIMIT ?3)";

int events_tail(struct db *db, int64_t peer, unsigned count, int64_t *after_seq)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, peer != 0 ? tail_of_peer : tail_of_all);
    sql_bind_int(&query, db->last);
    sql_bind_int(&query, peer);
    sql_bind_int(&query, count);
    if (peer != 0)
        sql_bind_int(&query, db->settled);
    return read_first(&query, after_seq);
}

int events_tail_of(struct db *db, events_wanted *wanted, void *context, unsigned count,
                   int64_t *after_seq)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT seq, type, peer, kind, iif(type = 2, detail, NULL) FROM log"
                     " WHERE seq <= ?1 ORDER BY seq DESC LIMIT ?2");
    sql_bind_int(&query, db->last);
    sql_bind_int(&query, EVENTS_LOOK_BACK_MAX);
    *after_seq = db->last;
    while (count > 0 && sql_row(&query)) {
        const int64_t seq = sql_int(&query);
        const enum event_type type = read_type(&query);
        const int64_t peer = sql_int(&query);
        const int kind = sql_enum(&query, MESSAGE_FILE_STATE);
        if (!wanted(context, type, (enum message_kind)kind, peer))
            continue;
        const uint32_t width = type == EVENT_MESSAGE_STATE ? log_width(sql_blob(&query)) : 1;
        const uint32_t taken = width < count ? width : count;
        *after_seq = seq - taken;
        count -= taken;
    }
    return query.result;
}

/* The first seq of the minutes after this one, and that of the minute itself; 0: there is none. */
static int find_minutes(struct db *db, uint64_t minute, int64_t *first, int64_t *later)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT (SELECT seq FROM minute WHERE at_ms = ?1),"
                                    " (SELECT min(seq) FROM minute WHERE at_ms > ?1)");
    sql_bind_int(&query, (int64_t)minute);
    if (sql_row(&query)) {
        *first = sql_int(&query);
        *later = sql_int(&query);
    }
    return query.result;
}

/* The first row from a seq on that is of this time, or else the one at `later` or after it. */
static int find_since(struct db *db, int64_t seq, int64_t later, uint64_t since_ms, int64_t *first)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT seq, time_ms FROM log WHERE seq >= ? AND seq <= ? ORDER BY seq");
    sql_bind_int(&query, seq > 0 && seq < later ? seq : later);
    sql_bind_int(&query, db->last);
    while (sql_row(&query)) {
        *first = sql_int(&query);
        if (*first >= later || lives_time(db, *first, sql_int(&query)) >= since_ms)
            return 0;
    }
    *first = 0;
    return query.result;
}

int events_since(struct db *db, uint64_t since_ms, int64_t *after_seq)
{
    int64_t minute = 0, later = 0, first = 0, width = 0;
    int r = find_minutes(db, since_ms - since_ms % LOG_MINUTE_MS, &minute, &later);
    if (r == 0)
        r = find_since(db, minute, later != 0 ? later : db->last + 1, since_ms, &first);
    if (r == 0 && first > 0)
        r = read_width(db, first, &width);
    *after_seq = first > 0 ? first - width : db->last;
    return r;
}
