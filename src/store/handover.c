/* SPDX-License-Identifier: ISC */
/*
 * Handing over the messages of one peer to another: each keeps its seq and the state it is in.
 */
#include "store/handover.h"

#include <errno.h>

#include "store/inbound.h"
#include "store/marks.h"
#include "store/message_columns.h"
#include "store/noted.h"
#include "store/settle.h"

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

/* The marks of the other peer say nothing about it: the row does, from now on. */
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

/* Hands over the first message there is. 0, DB_NOT_FOUND, DB_FULL or -errno. */
static int hand_over_first(struct db *db, int64_t from, int64_t to, handover_reseal *reseal,
                           void *context)
{
    struct message_row row;
    struct bytes body = {0};
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT " MESSAGE_COLUMNS " FROM message_of_peer o JOIN log m"
                                    " ON m.seq = o.seq JOIN peer p ON p.id = m.peer"
                                    " WHERE o.peer = ? ORDER BY o.type, o.seq LIMIT 1");
    sql_bind_int(&query, from);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    message_read(&query, &row);
    int r = query.result;
    if (r == 0 && row.body.size > 0)
        r = reseal(context, &row, &body);
    if (r == 0)
        r = set_extra(db, &row, to);
    if (r == 0)
        r = set_row(db, &row, to, bytes_span(&body));
    if (r == 0)
        r = list_under(db, &row, to);
    bytes_deinit(&body);
    return r;
}

/* What the marks count. */
static void move_counts(struct db *db, struct mark *from, struct mark *to)
{
    to->stored.messages += from->stored.messages;
    to->stored.bytes += from->stored.bytes;
    inbound_move(db, from, to);
    to->queue.messages += from->queue.messages;
    to->queue.bytes += from->queue.bytes;
    to->strays += (unsigned)from->queue.messages;
    if (to->ticket < from->ticket)
        to->ticket = from->ticket;
    from->stored = from->queue = (struct messages_size){0};
    from->strays = 0;
    marks_touch(db, from);
    marks_touch(db, to);
}

int handover_messages(struct db *db, int64_t from, int64_t to, handover_reseal *reseal,
                      void *context)
{
    struct mark *giver = marks_find(db, from);
    struct mark *taker = marks_find(db, to);
    if (giver == NULL || taker == NULL)
        return db->failed ? -EIO : -EINVAL;
    int r = settle_all(db);
    if (r == 0)
        r = marks_freeze(db, giver);
    while (r == 0)
        r = hand_over_first(db, from, to, reseal, context);
    if (r == DB_NOT_FOUND)
        r = run_with(db, "UPDATE tombstone SET peer = ? WHERE peer = ?", to, from);
    /* What was told of a message goes with it, so that who reads on from there later finds it. */
    if (r == 0)
        r = run_with(db, "UPDATE log SET peer = ? WHERE peer = ? AND type = 2", to, from);
    if (r != 0)
        return r;
    move_counts(db, giver, taker);
    return settle_all(db);
}
