/* SPDX-License-Identifier: ISC */
/*
 * Rows of events. Whatever is told to a follower is committed: walks end at the newest committed
 * event.
 */
#include "store/events.h"

#include "store/message_columns.h"

int events_add(struct db *db, struct event_row *event)
{
    bool about_state = event->type == EVENT_MESSAGE_STATE;
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "INSERT INTO event (type, time_ms, peer, trust, reason, offered_key, message,"
                      " state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    sql_bind_int(&query, event->type);
    sql_bind_int(&query, (int64_t)event->time_ms);
    sql_bind_int(&query, event->peer);
    sql_bind_int(&query, event->trust);
    sql_bind_text(&query, event->reason);
    sql_bind_blob(&query, event->offered ? event->offered_key : NULL, PEER_KEY_SIZE);
    if (about_state) {
        sql_bind_int(&query, event->message->seq);
        sql_bind_int(&query, event->state);
    }
    if (sql_run(&query) != 0)
        return query.result;
    db->newest = event->seq = sqlite3_last_insert_rowid(db->sqlite);
    return 0;
}

static void read_row(struct sql *query, struct event_row *event, struct message_row *message)
{
    *event = (struct event_row){.seq = sql_int(query)};
    event->type = (enum event_type)sql_enum(query, EVENT_PEER_TRUST);
    event->time_ms = (uint64_t)sql_int(query);
    event->peer = sql_int(query);
    sql_copy_text(query, event->peer_name, sizeof event->peer_name);
    event->pinned = sql_copy(query, event->key, PEER_KEY_SIZE);
    event->trust = (enum peer_trust)sql_enum(query, PEER_BLOCKED);
    event->state = (enum message_state)sql_enum(query, MESSAGE_UNKNOWN);
    event->reason = sql_text(query);
    event->offered = sql_copy(query, event->offered_key, PEER_KEY_SIZE);
    message_read(query, message);
    event->message = message->seq != 0 ? message : NULL;
}

int events_each(struct db *db, int64_t after_seq,
                int (*visit)(void *context, const struct event_row *event), void *context)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT e.seq, e.type, e.time_ms, e.peer, p.name, p.key, e.trust, e.state,"
                     " e.reason, e.offered_key, " MESSAGE_COLUMNS
                     " FROM event e JOIN peer p ON p.id = e.peer"
                     " LEFT JOIN message m ON m.seq = ifnull(e.message, e.seq)"
                     " WHERE e.seq > ? AND e.seq <= ? ORDER BY e.seq");
    sql_bind_int(&query, after_seq);
    sql_bind_int(&query, db->last);
    while (sql_row(&query)) {
        struct event_row event;
        struct message_row message;
        read_row(&query, &event, &message);
        if (query.result != 0)
            break;
        int r = visit(context, &event);
        if (r != 0)
            return r < 0 ? r : 0;
    }
    return query.result;
}

int64_t events_last(const struct db *db)
{
    return db->last;
}

/* Runs a query for the first seq of a walk; without one it begins with what is to come. */
static int read_first(struct sql *query, int64_t *after_seq)
{
    int64_t first = sql_row(query) ? sql_int(query) : 0;
    *after_seq = first > 0 ? first - 1 : query->db->last;
    return query->result;
}

int events_tail(struct db *db, int64_t peer, unsigned count, int64_t *after_seq)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT min(seq) FROM (SELECT seq FROM message INDEXED BY message_by_direction"
                     " WHERE direction = 0 AND seq <= ?1 AND (?2 = 0 OR peer = ?2)"
                     " ORDER BY seq DESC LIMIT ?3)");
    sql_bind_int(&query, db->last);
    sql_bind_int(&query, peer);
    sql_bind_int(&query, count);
    return read_first(&query, after_seq);
}

int events_since(struct db *db, uint64_t since_ms, int64_t *after_seq)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT min(seq) FROM event INDEXED BY event_by_time"
                                    " WHERE time_ms >= ? AND seq <= ?");
    sql_bind_int(&query, (int64_t)since_ms);
    sql_bind_int(&query, db->last);
    return read_first(&query, after_seq);
}
