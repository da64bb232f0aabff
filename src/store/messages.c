/* SPDX-License-Identifier: ISC */
/*
 * Rows of messages, each with the events that tell of it.
 */
#include "store/messages.h"

#include <limits.h>

#include "store/events.h"
#include "store/message_columns.h"

#define SELECT_MESSAGES "SELECT " MESSAGE_COLUMNS " FROM message m JOIN peer p ON p.id = m.peer "

/* As the index message_queue has it. */
#define IN_QUEUE "m.state IN (1, 2)"

void message_read(struct sql *query, struct message_row *row)
{
    *row = (struct message_row){.seq = sql_int(query)};
    row->peer = sql_int(query);
    sql_copy_text(query, row->peer_name, sizeof row->peer_name);
    row->pinned = sql_copy(query, row->peer_key, PEER_KEY_SIZE);
    row->direction = (enum message_direction)sql_enum(query, MESSAGE_OUT);
    sql_copy(query, row->id.bytes, UUID_SIZE);
    bool fixed = sql_copy(query, row->previous.bytes, UUID_SIZE);
    row->transmitted = fixed && row->direction == MESSAGE_OUT;
    row->state = (enum message_state)sql_enum(query, MESSAGE_UNKNOWN);
    row->trust = (enum peer_trust)sql_enum(query, PEER_BLOCKED);
    row->time_ms = (uint64_t)sql_int(query);
    row->sent_ms = (uint64_t)sql_int(query);
    row->expires_ms = (uint64_t)sql_int(query);
    row->client_id = sql_text(query);
    row->text_size = (size_t)sql_int(query);
    row->body = sql_blob(query);
}

static int add_event(struct db *db, struct message_row *row)
{
    struct event_row event = {
        .type = row->direction == MESSAGE_IN ? EVENT_MESSAGE_RECEIVED : EVENT_MESSAGE_SENT,
        .time_ms = row->time_ms,
        .peer = row->peer,
        .trust = row->trust,
    };
    int r = events_add(db, &event);
    row->seq = event.seq;
    return r;
}

int messages_add(struct db *db, struct message_row *row)
{
    int r = messages_known(db, row->peer, row->direction, &row->id);
    if (r != DB_NOT_FOUND)
        return r == 0 ? DB_EXISTS : r;
    r = add_event(db, row);
    if (r != 0)
        return r;

    bool fixed = row->direction == MESSAGE_IN || row->transmitted;
    CLEANUP(sql_end)
    struct sql query = sql_write(
        db, "INSERT INTO message (seq, peer, direction, id, previous, state, trust, time_ms,"
            " sent_ms, expires_ms, client_id, text_size, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    sql_bind_int(&query, row->seq);
    sql_bind_int(&query, row->peer);
    sql_bind_int(&query, row->direction);
    sql_bind_blob(&query, row->id.bytes, UUID_SIZE);
    sql_bind_blob(&query, fixed ? row->previous.bytes : NULL, UUID_SIZE);
    sql_bind_int(&query, row->state);
    sql_bind_int(&query, row->trust);
    sql_bind_int(&query, (int64_t)row->time_ms);
    sql_bind_int(&query, (int64_t)row->sent_ms);
    sql_bind_int(&query, (int64_t)row->expires_ms);
    sql_bind_text(&query, row->client_id);
    sql_bind_int(&query, (int64_t)row->text_size);
    sql_bind_blob(&query, row->body.size > 0 ? row->body.data : NULL, row->body.size);
    return sql_run(&query);
}

int messages_known(struct db *db, int64_t peer, enum message_direction direction,
                   const struct uuid *id)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT 1 FROM message WHERE id = ?1 AND peer = ?2 AND direction = ?3"
                     " UNION ALL "
                     "SELECT 1 FROM tombstone WHERE id = ?1 AND peer = ?2 AND direction = ?3");
    sql_bind_blob(&query, id->bytes, UUID_SIZE);
    sql_bind_int(&query, peer);
    sql_bind_int(&query, direction);
    if (sql_row(&query))
        return 0;
    return query.result != 0 ? query.result : DB_NOT_FOUND;
}

/*
 * Visits rows until `limit` of them count, which are those the visitor returns 0 for. Stores in
 * *found whether there was any row. 0 or -errno.
 */
static int walk(struct sql *query, unsigned limit, messages_visit *visit, void *context,
                bool *found)
{
    *found = false;
    for (unsigned counted = 0; counted < limit && sql_row(query);) {
        struct message_row row;
        message_read(query, &row);
        if (query->result != 0)
            break;
        *found = true;
        int r = visit(context, &row);
        if (r < 0)
            return r;
        if (r == 0)
            counted++;
    }
    return query->result;
}

int messages_get(struct db *db, const struct uuid *id, messages_visit *visit, void *context)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, SELECT_MESSAGES "WHERE m.id = ? ORDER BY m.direction DESC, m.seq LIMIT 1");
    sql_bind_blob(&query, id->bytes, UUID_SIZE);
    bool found;
    int r = walk(&query, 1, visit, context, &found);
    return r == 0 && !found ? DB_NOT_FOUND : r;
}

/* The columns of a message of which there is only the tombstone `m`. */
#define TOMBSTONE_COLUMNS                                                                \
    "m.seq, m.peer, p.name, p.key, m.direction, m.id, NULL, m.state, p.trust, 0, 0, 0, " \
    "m.client_id,"                                                                       \
    " 0, NULL"

int messages_by_client_id(struct db *db, const char *client_id, messages_visit *visit,
                          void *context)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, SELECT_MESSAGES "WHERE m.client_id = ?1 UNION ALL "
                                                    "SELECT " TOMBSTONE_COLUMNS
                                                    " FROM tombstone m JOIN peer p ON p.id = m.peer"
                                                    " WHERE m.client_id = ?1 ORDER BY 1");
    sql_bind_text(&query, client_id);
    bool found;
    int r = walk(&query, UINT_MAX, visit, context, &found);
    return r == 0 && !found ? DB_NOT_FOUND : r;
}

int messages_queue(struct db *db, int64_t peer, int64_t after_seq, unsigned limit,
                   messages_visit *visit, void *context)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, SELECT_MESSAGES "WHERE m.peer = ? AND m.seq > ? AND " IN_QUEUE
                                                    " ORDER BY m.seq");
    sql_bind_int(&query, peer);
    sql_bind_int(&query, after_seq);
    bool found;
    return walk(&query, limit, visit, context, &found);
}

/* Each has all parameters of messages_newest(), needed or not. */
#define NEWEST(where)                                                               \
    SELECT_MESSAGES "WHERE " where " m.seq > ?2 AND m.seq < ?3 AND m.time_ms >= ?4" \
                    " AND m.time_ms < ?5 ORDER BY m.seq DESC"

/* The whole queue by its index: sorted as numbers, not as rows with their bodies. */
#define SEQ_IN_QUEUE \
    "m.seq IN (SELECT seq FROM message INDEXED BY message_queue WHERE state IN (1, 2))"

static const char *newest_query(const struct messages_filter *filter)
{
    if (filter->queued_only)
        return filter->peer != 0 ? NEWEST("m.peer = ?1 AND " IN_QUEUE " AND")
                                 : NEWEST(SEQ_IN_QUEUE " AND");
    return filter->peer != 0 ? NEWEST("m.peer = ?1 AND") : NEWEST("");
}

int messages_newest(struct db *db, const struct messages_filter *filter, messages_visit *visit,
                    void *context)
{
    /* Spares the search the whole past: the events have an index of times. */
    int64_t after = 0;
    int r = filter->since_ms > 0 ? events_since(db, filter->since_ms, &after) : 0;
    if (r != 0)
        return r;
    if (after < filter->after_seq)
        after = filter->after_seq;

    CLEANUP(sql_end) struct sql query = sql_read(db, newest_query(filter));
    sql_bind_int(&query, filter->peer);
    sql_bind_int(&query, after);
    sql_bind_int(&query, filter->before_seq != 0 ? filter->before_seq : INT64_MAX);
    sql_bind_int(&query, (int64_t)filter->since_ms);
    sql_bind_int(&query, filter->until_ms != 0 ? (int64_t)filter->until_ms : INT64_MAX);
    bool found;
    return walk(&query, filter->limit, visit, context, &found);
}

static int add_state_event(struct db *db, struct event_row event, int64_t seq)
{
    struct message_row message = {.seq = seq};
    event.type = EVENT_MESSAGE_STATE;
    event.message = &message;
    return events_add(db, &event);
}

/* Runs an update that returns the message's peer and its trust; DB_NOT_FOUND if it changed none. */
static int change(struct sql *update, struct event_row *event)
{
    bool found = sql_row(update);
    if (found) {
        event->peer = sql_int(update);
        event->trust = (enum peer_trust)sql_enum(update, PEER_BLOCKED);
    }
    int r = sql_run(update);
    return r == 0 && !found ? DB_NOT_FOUND : r;
}

#define RETURNING_PEER " RETURNING peer, (SELECT trust FROM peer p WHERE p.id = message.peer)"

int messages_set_transmitted(struct db *db, int64_t seq, const struct uuid *previous,
                             uint64_t now_ms)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE message SET state = ?, previous = ?"
                                     " WHERE seq = ? AND state = ?" RETURNING_PEER);
    sql_bind_int(&query, MESSAGE_SENT);
    sql_bind_blob(&query, previous->bytes, UUID_SIZE);
    sql_bind_int(&query, seq);
    sql_bind_int(&query, MESSAGE_QUEUED);
    struct event_row event = {.time_ms = now_ms, .state = MESSAGE_SENT};
    int r = change(&query, &event);
    return r == 0 ? add_state_event(db, event, seq) : r;
}

int messages_set_state(struct db *db, int64_t seq, enum message_state state, const char *reason,
                       uint64_t now_ms)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE message SET state = ? WHERE seq = ?" RETURNING_PEER);
    sql_bind_int(&query, state);
    sql_bind_int(&query, seq);
    struct event_row event = {.time_ms = now_ms, .state = state, .reason = reason};
    int r = change(&query, &event);
    return r == 0 ? add_state_event(db, event, seq) : r;
}

static int set_owner(struct db *db, int64_t seq, int64_t to, struct span body)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE message SET peer = ?, body = ? WHERE seq = ?");
    sql_bind_int(&query, to);
    sql_bind_blob(&query, body.size > 0 ? body.data : NULL, body.size);
    sql_bind_int(&query, seq);
    return sql_run(&query);
}

/* What was told of a message goes with it, so that who reads on from there later finds it. */
static int set_owner_of_events(struct db *db, int64_t seq, int64_t to)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE event SET peer = ?1 WHERE seq = ?2 OR message = ?2");
    sql_bind_int(&query, to);
    sql_bind_int(&query, seq);
    return sql_run(&query);
}

/* Hands over the first message there is. 0, DB_NOT_FOUND, DB_FULL or -errno. */
static int hand_over_first(struct db *db, int64_t from, int64_t to, messages_reseal *reseal,
                           void *context)
{
    struct message_row row;
    struct bytes body = {0};
    CLEANUP(sql_end)
    struct sql query = sql_read(db, SELECT_MESSAGES "WHERE m.peer = ? ORDER BY m.seq LIMIT 1");
    sql_bind_int(&query, from);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    message_read(&query, &row);
    int r = query.result;
    if (r == 0 && row.body.size > 0)
        r = reseal(context, &row, &body);
    if (r == 0)
        r = set_owner(db, row.seq, to, bytes_span(&body));
    if (r == 0)
        r = set_owner_of_events(db, row.seq, to);
    bytes_deinit(&body);
    return r;
}

static int hand_over_tombstones(struct db *db, int64_t from, int64_t to)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE tombstone SET peer = ? WHERE peer = ?");
    sql_bind_int(&query, to);
    sql_bind_int(&query, from);
    return sql_run(&query);
}

int messages_hand_over(struct db *db, int64_t from, int64_t to, messages_reseal *reseal,
                       void *context)
{
    int r = 0;
    while (r == 0)
        r = hand_over_first(db, from, to, reseal, context);
    return r == DB_NOT_FOUND ? hand_over_tombstones(db, from, to) : r;
}

/* What is taken out of the queue for want of time. */
struct overdue {
    int64_t seqs[MESSAGES_EXPIRE_MAX];
    bool transmitted[MESSAGES_EXPIRE_MAX];
    unsigned count;
};

static int find_overdue(struct db *db, uint64_t now_ms, struct overdue *overdue)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT seq, state FROM message INDEXED BY message_by_expiry"
                                    " WHERE state IN (1, 2) AND expires_ms > 0 AND expires_ms <= ?"
                                    " ORDER BY expires_ms, seq");
    sql_bind_int(&query, (int64_t)now_ms);
    while (overdue->count < MESSAGES_EXPIRE_MAX && sql_row(&query)) {
        overdue->seqs[overdue->count] = sql_int(&query);
        overdue->transmitted[overdue->count] = sql_int(&query) == MESSAGE_SENT;
        overdue->count++;
    }
    return query.result;
}

int messages_expire(struct db *db, uint64_t now_ms, unsigned *count)
{
    struct overdue overdue = {.count = 0};
    int r = find_overdue(db, now_ms, &overdue);
    for (unsigned i = 0; r == 0 && i < overdue.count; i++)
        r = overdue.transmitted[i]
                ? messages_set_state(db, overdue.seqs[i], MESSAGE_UNKNOWN,
                                     "it was transmitted, but not confirmed in time", now_ms)
                : messages_set_state(db, overdue.seqs[i], MESSAGE_EXPIRED,
                                     "it could not be transmitted in time", now_ms);
    *count = overdue.count;
    return r;
}

int messages_next_expiry(struct db *db, uint64_t *at_ms)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT min(expires_ms) FROM message INDEXED BY message_by_expiry"
                     " WHERE state IN (1, 2) AND expires_ms > 0");
    *at_ms = sql_row(&query) ? (uint64_t)sql_int(&query) : 0;
    return query.result;
}

/* Runs a query that gives a number of messages and their bytes. */
static int read_size(struct sql *query, struct messages_size *size)
{
    *size = (struct messages_size){0};
    if (sql_row(query)) {
        size->messages = (uint64_t)sql_int(query);
        size->bytes = (uint64_t)sql_int(query);
    }
    return query->result;
}

int messages_count(struct db *db, struct messages_size *size)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, "SELECT sum(messages), sum(bytes) FROM tally");
    return read_size(&query, size);
}

int messages_queue_size(struct db *db, int64_t peer, struct messages_size *size)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT sum(queued), sum(queued_bytes) FROM tally"
                                    " WHERE ?1 = 0 OR peer = ?1");
    sql_bind_int(&query, peer);
    return read_size(&query, size);
}
