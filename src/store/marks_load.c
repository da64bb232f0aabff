/* SPDX-License-Identifier: ISC */
/*
 * The marks as they follow from what is stored: what was settled, and the rows of the log since.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/footprint.h"
#include "store/lives.h"
#include "store/marks.h"
#include "store/noted.h"

static int forget_all(struct db *db)
{
    if (db->marks == NULL) {
        db->marks = calloc(1, sizeof *db->marks);
        if (db->marks == NULL)
            return -ENOMEM;
        list_init(&db->marks->dirty);
        list_init(&db->marks->telling);
    }
    for (unsigned i = 0; i < db->marks->count; i++)
        mark_clear(db->marks->list[i]);
    db->marks->inbound = 0;
    return 0;
}

static int read_bounds(struct db *db)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT settled, max(floor, ifnull((SELECT max(seq) FROM log), 0)) FROM meta");
    if (sql_row(&query)) {
        db->settled = sql_int(&query);
        db->newest = db->last = db->dated = sql_int(&query);
    }
    return query.result;
}

static int read_marks(struct db *db)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT peer, sent, delivered, messages, bytes, inbound,"
                                    " last_in, last_out, base FROM peer_mark ORDER BY peer");
    while (sql_row(&query)) {
        struct mark *mark = marks_make(db->marks, sql_int(&query));
        if (mark == NULL)
            return -ENOMEM;
        mark->found = true;
        mark->sent = sql_int(&query);
        mark->delivered = sql_int(&query);
        mark->stored.messages = (uint64_t)sql_int(&query);
        mark->stored.bytes = (uint64_t)sql_int(&query);
        mark->inbound = (uint64_t)sql_int(&query);
        db->marks->inbound += mark->inbound;
        sql_copy(&query, mark->last_in.bytes, UUID_SIZE);
        sql_copy(&query, mark->last_out.bytes, UUID_SIZE);
        sql_copy(&query, mark->base.bytes, UUID_SIZE);
    }
    return query.result;
}

/* The last message of a run moves the marks, if it is an ordinary one. */
static int roll_run(struct db *db, struct mark *mark, enum message_state state, struct log_run run)
{
    const int64_t last = run.first + run.count - 1;
    struct uuid id = {0};
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT state, id FROM log WHERE seq = ? AND type = 1");
    sql_bind_int(&query, last);
    if (!sql_row(&query))
        return query.result;
    const bool ordinary = sql_is_null(&query);
    sql_int(&query);
    sql_copy(&query, id.bytes, UUID_SIZE);
    if (ordinary && state == MESSAGE_SENT && last > mark->sent) {
        if (mark->delivered >= mark->sent) /* nothing ordinary was in flight */
            mark->base = mark->last_out;
        mark->sent = last;
    }
    if (state == MESSAGE_SENT)
        mark->last_out = id;
    if (ordinary && state == MESSAGE_DELIVERED && last > mark->delivered) {
        mark->delivered = last;
        mark->base = id;
    }
    return query.result;
}

static int roll_states(struct db *db, struct mark *mark, enum message_state state,
                       struct span detail, int64_t seq)
{
    int r = log_sound(detail, seq) ? 0 : sql_damage(db, "detail");
    for (unsigned i = 0; r == 0 && i < log_runs(detail); i++)
        r = roll_run(db, mark, state, log_get(detail, i));
    return r;
}

/* Does again what a row of the log did to the marks. */
static int roll_row(struct db *db, struct sql *query)
{
    struct uuid id = {0};
    const int64_t seq = sql_int(query);
    const int64_t type = sql_int(query);
    struct mark *mark = marks_get(db->marks, sql_int(query));
    const int64_t state = sql_int(query);
    const bool message = sql_copy(query, id.bytes, UUID_SIZE);
    const uint64_t size = (uint64_t)sql_int(query);
    if (mark == NULL || query->result != 0)
        return query->result != 0 ? query->result : sql_damage(db, "peer");
    marks_touch(db, mark);
    if (message) {
        mark->stored.messages++;
        mark->stored.bytes += size;
    }
    if (message && type == EVENT_MESSAGE_RECEIVED) {
        mark->last_in = id;
        marks_count_inbound(db, mark, footprint_of(size), 0);
    }
    if (type == EVENT_MESSAGE_STATE && (state == MESSAGE_SENT || state == MESSAGE_DELIVERED))
        return roll_states(db, mark, (enum message_state)state, sql_blob(query), seq);
    return 0;
}

static int roll_forward(struct db *db)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT seq, type, peer, state, id, text_size, detail FROM log"
                                    " WHERE seq > ? ORDER BY seq");
    sql_bind_int(&query, db->settled);
    while (sql_row(&query)) {
        int r = roll_row(db, &query);
        if (r != 0)
            return r;
    }
    return query.result;
}

static int take_item(struct mark *mark, const struct mark_item *item)
{
    if (item->seq <= mark->delivered)
        return 0;
    mark_queue(mark, item);
    if (item->seq > mark->sent)
        return 0;
    mark->next.seq = 0;
    return mark_transmit(mark, item);
}

/* The ordinary messages of a peer's queue that are settled. */
static int read_settled(struct db *db, struct mark *mark)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, marks_settled_after);
    int r = 0;
    sql_bind_int(&query, mark->peer);
    sql_bind_int(&query, mark->delivered);
    while (r == 0 && sql_row(&query)) {
        struct mark_item item;
        mark_item_read(&query, &item);
        r = take_item(mark, &item);
    }
    return r != 0 ? r : query.result;
}

/* Those of all peers that are not. */
static int read_unsettled(struct db *db)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT seq, id, text_size, expires_ms, peer FROM log"
                                    " WHERE seq > ? AND type = 1 AND state IS NULL ORDER BY seq");
    int r = 0;
    sql_bind_int(&query, db->settled);
    while (r == 0 && sql_row(&query)) {
        struct mark_item item;
        mark_item_read(&query, &item);
        struct mark *mark = marks_get(db->marks, sql_int(&query));
        r = mark != NULL ? take_item(mark, &item) : sql_damage(db, "peer");
    }
    return r != 0 ? r : query.result;
}

static int read_strays(struct db *db)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT e.peer, m.text_size, ifnull(e.ticket, 0) FROM extra e JOIN log m"
                     " ON m.seq = e.seq WHERE e.state IS NOT NULL");
    while (sql_row(&query)) {
        struct mark *mark = marks_get(db->marks, sql_int(&query));
        if (mark == NULL)
            return sql_damage(db, "peer");
        const uint64_t size = (uint64_t)sql_int(&query);
        const int64_t ticket = sql_int(&query);
        mark->strays++;
        mark->queue.messages++;
        mark->queue.bytes += size;
        if (mark->ticket < ticket)
            mark->ticket = ticket;
    }
    return query.result;
}

static int read_newest_tombstone(struct db *db)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, "SELECT max(id) FROM tombstone");
    if (sql_row(&query))
        sql_copy(&query, db->newest_tombstone.bytes, UUID_SIZE);
    return query.result;
}

int marks_load(struct db *db)
{
    db->undone = false;
    db->minute_known = false;
    int r = forget_all(db);
    if (r == 0)
        r = lives_load(db);
    if (r == 0)
        r = noted_load(db);
    if (r == 0)
        r = read_bounds(db);
    if (r == 0)
        r = read_marks(db);
    if (r == 0)
        r = roll_forward(db);
    for (unsigned i = 0; r == 0 && i < db->marks->count; i++)
        r = read_settled(db, db->marks->list[i]);
    if (r == 0)
        r = read_unsettled(db);
    if (r == 0)
        r = read_strays(db);
    for (unsigned i = 0; r == 0 && i < db->marks->count; i++)
        mark_catch_up(db->marks->list[i], db->newest);
    return r == 0 ? read_newest_tombstone(db) : r;
}
