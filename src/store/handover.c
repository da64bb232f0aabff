/* SPDX-License-Identifier: ISC */
/*
 * Handing over the messages of one peer to another: each keeps its seq and the state it is in.
 */
#include "store/handover.h"

#include <errno.h>

#include "store/footprint.h"
#include "store/inbound.h"
#include "store/marks.h"
#include "store/message_columns.h"
#include "store/noted.h"
#include "store/settle.h"
#include "store/strays.h"

static int run_with(struct db *db, const char *text, int64_t first, int64_t second)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, text);
    sql_bind_int(&query, first);
    sql_bind_int(&query, second);
    return sql_run(&query);
}

static bool in_queue(const struct message_row *row)
{
    return row->state == MESSAGE_QUEUED || row->state == MESSAGE_SENT;
}

/* The other peer's marks say nothing of its state: the row does, from now on. */
static int set_row(struct db *db, const struct message_row *row, int64_t to, struct span body)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE log SET peer = ?, state = ?, body = ? WHERE seq = ?");
    sql_bind_int(&query, to);
    if (row->direction == MESSAGE_IN)
        sql_bind_null(&query);
    else
        sql_bind_int(&query, in_queue(row) ? LOG_STRAY : (int64_t)row->state);
    sql_bind_blob(&query, body.size > 0 ? body.data : NULL, body.size);
    sql_bind_int(&query, row->seq);
    return sql_run(&query);
}

/* An ordinary one that waits becomes a stray; none is in flight, as these are strays already. */
static int set_extra(struct db *db, const struct message_row *row, int64_t to)
{
    if (row->stray || !in_queue(row))
        return run_with(db, "UPDATE extra SET peer = ? WHERE seq = ?", to, row->seq);
    int r = run_with(db,
                     "INSERT INTO extra (peer, seq, state, place, needs)"
                     " VALUES (?1, ?2, 1, ?2, (SELECT needs FROM log WHERE seq = ?2))"
                     " ON CONFLICT (seq) DO UPDATE SET peer = ?1, state = 1, place = ?2,"
                     " needs = excluded.needs",
                     to, row->seq);
    return r == 0 ? noted_add(db, row->expires_ms, row->seq) : r;
}

static int list_under(struct db *db, const struct message_row *row, int64_t to)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(
        db, "UPDATE message_of_peer SET peer = ? WHERE peer = ? AND type = ? AND seq = ?");
    sql_bind_int(&query, to);
    sql_bind_int(&query, row->peer);
    sql_bind_int(&query, row->direction);
    sql_bind_int(&query, row->seq);
    return sql_run(&query);
}

static void move_queued(struct mark *from, struct mark *to, const struct message_row *row)
{
    if (from->next.seq == row->seq)
        from->next.seq = 0;
    if (row->stray)
        from->strays--;
    mark_leave(from, row->text_size);
    to->strays++;
    to->queue.messages++;
    to->queue.bytes += row->text_size;
    if (to->ticket < from->ticket)
        to->ticket = from->ticket;
}

/* What the marks count. */
static void move_counts(struct db *db, struct mark *from, struct mark *to,
                        const struct message_row *row)
{
    from->stored.messages--;
    from->stored.bytes -= row->text_size;
    to->stored.messages++;
    to->stored.bytes += row->text_size;
    if (row->direction == MESSAGE_IN)
        inbound_move(db, from, to, footprint_of(row->text_size));
    if (in_queue(row))
        move_queued(from, to, row);
    marks_touch(db, from);
    marks_touch(db, to);
}

/* The two peers, and how bodies are sealed anew. */
struct parties {
    struct mark *from, *to;
    handover_reseal *reseal;
    void *context;
};

/* Hands over the first message there is. 0, DB_NOT_FOUND, DB_FULL or -errno. */
static int hand_over_first(struct db *db, const struct parties *parties, size_t *bytes)
{
    const int64_t to = parties->to->peer;
    struct message_row row;
    struct bytes body = {0};
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT " MESSAGE_COLUMNS " FROM message_of_peer o JOIN log m"
                                    " ON m.seq = o.seq JOIN peer p ON p.id = m.peer"
                                    " WHERE o.peer = ? ORDER BY o.type, o.seq LIMIT 1");
    sql_bind_int(&query, parties->from->peer);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    message_read(&query, &row);
    int r = query.result;
    if (r == 0 && row.body.size > 0)
        r = parties->reseal(parties->context, &row, &body);
    if (r == 0)
        r = set_extra(db, &row, to);
    if (r == 0)
        r = set_row(db, &row, to, bytes_span(&body));
    if (r == 0)
        r = list_under(db, &row, to);
    if (r == 0)
        move_counts(db, parties->from, parties->to, &row);
    *bytes += row.text_size;
    bytes_deinit(&body);
    return r;
}

static int hand_over_messages(struct db *db, const struct parties *parties)
{
    size_t bytes = 0;
    int r = stray_make_all(db, parties->from);
    for (unsigned i = 0; r == 0 && i < HANDOVER_STEP && bytes < HANDOVER_STEP_BYTES; i++)
        r = hand_over_first(db, parties, &bytes);
    return r == DB_NOT_FOUND ? 0 : r;
}

/* The last seq of the next rows to look at; 0: there are none. */
static int find_end(struct db *db, const char *text, int64_t after, int64_t *end)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, text);
    sql_bind_int(&query, after);
    sql_bind_int(&query, HANDOVER_LOOKS);
    *end = sql_row(&query) ? sql_int(&query) : 0;
    return query.result;
}

/* Runs an update of the rows after `after` up to `end`. */
static struct sql update_range(struct db *db, const char *text, const struct parties *parties,
                               int64_t after, int64_t end)
{
    struct sql query = sql_write(db, text);
    sql_bind_int(&query, parties->to->peer);
    sql_bind_int(&query, parties->from->peer);
    sql_bind_int(&query, after);
    sql_bind_int(&query, end);
    return query;
}

static int hand_over_ids(struct db *db, const struct parties *parties, int64_t after, int64_t end)
{
    CLEANUP(sql_end)
    struct sql query = update_range(db,
                                    "UPDATE tombstone SET peer = ? WHERE peer = ? AND seq > ?"
                                    " AND seq <= ? RETURNING type",
                                    parties, after, end);
    while (sql_row(&query))
        if (sql_int(&query) == MESSAGE_IN)
            inbound_move(db, parties->from, parties->to, INBOUND_ID_BYTES);
    return query.result;
}

/* A follower that reads on from there later finds what was told of a message. */
static int hand_over_states(struct db *db, const struct parties *parties, int64_t after,
                            int64_t end)
{
    CLEANUP(sql_end)
    struct sql query = update_range(db,
                                    "UPDATE log SET peer = ? WHERE peer = ? AND type = 2"
                                    " AND seq > ? AND seq <= ?",
                                    parties, after, end);
    return sql_run(&query);
}

static const char next_ids[] =
    "SELECT max(seq) FROM (SELECT seq FROM tombstone WHERE seq > ? ORDER BY seq LIMIT ?)";
static const char next_rows[] =
    "SELECT max(seq) FROM (SELECT seq FROM log WHERE seq > ? ORDER BY seq LIMIT ?)";

/* When no message is left: ids of removed ones, then what was told; *more: there was some. */
static int go_along(struct db *db, struct handover *handover, const struct parties *parties,
                    bool *more)
{
    int64_t end;
    int r = find_end(db, next_ids, handover->ids_after, &end);
    if (r == 0 && end != 0) {
        r = hand_over_ids(db, parties, handover->ids_after, end);
        handover->ids_after = end;
    } else if (r == 0) {
        r = find_end(db, next_rows, handover->states_after, &end);
        if (r == 0 && end != 0) {
            r = hand_over_states(db, parties, handover->states_after, end);
            handover->states_after = end;
        }
    }
    *more = end != 0;
    return r;
}

int handover_step(struct db *db, struct handover *handover, handover_reseal *reseal, void *context,
                  bool *more)
{
    const struct parties parties = {marks_find(db, handover->from), marks_find(db, handover->to),
                                    reseal, context};
    *more = true;
    if (parties.from == NULL || parties.to == NULL)
        return db->failed ? -EIO : -EINVAL;
    int r = settle_all(db);
    if (r == 0 && parties.from->stored.messages > 0)
        r = hand_over_messages(db, &parties);
    else if (r == 0)
        r = go_along(db, handover, &parties, more);
    return r == 0 ? settle_all(db) : r;
}
