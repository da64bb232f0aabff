/* SPDX-License-Identifier: ISC */
/*
 * How a message becomes a stray, and gets its place among what was transmitted.
 */
#include "store/strays.h"

#include "store/log.h"
#include "store/noted.h"
#include "store/settle.h"

static int run_with(struct db *db, const char *text, int64_t first, int64_t second)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, text);
    sql_bind_int(&query, first);
    sql_bind_int(&query, second);
    return sql_run(&query);
}

int stray_draw(struct db *db, struct mark *mark, int64_t seq, const struct uuid *previous)
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

int stray_make(struct db *db, struct mark *mark, const struct message_row *row)
{
    int r = run_with(db,
                     "INSERT INTO extra (peer, seq, state, place, needs)"
                     " VALUES (?1, ?2, 1, ?2, (SELECT needs FROM log WHERE seq = ?2))"
                     " ON CONFLICT (seq) DO UPDATE SET state = 1, place = ?2, prev = NULL,"
                     " needs = excluded.needs",
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
    if (row->state != MESSAGE_QUEUED && row->state != MESSAGE_SENT) {
        mark->queue.messages++;
        mark->queue.bytes += row->text_size;
    }
    return 0;
}

/* The n-th in flight has been transmitted, so it keeps its place there. */
static int insert_nth(struct db *db, const struct mark *mark, unsigned n)
{
    const struct mark_item *item = mark_inflight(mark, n);
    CLEANUP(sql_end)
    struct sql query = sql_write(
        db, "INSERT INTO extra (seq, peer, state, place, ticket_mark, ticket, prev, needs)"
            " VALUES (?1, ?2, 2, ?1, ?1, 0, ?3, (SELECT needs FROM log WHERE seq = ?1))"
            " ON CONFLICT (seq) DO UPDATE SET state = 2, place = ?1, ticket_mark = ?1,"
            " ticket = 0, prev = ?3, needs = excluded.needs");
    sql_bind_int(&query, item->seq);
    sql_bind_int(&query, mark->peer);
    sql_bind_blob(&query, mark_before(mark, n)->bytes, UUID_SIZE);
    return sql_run(&query);
}

static int make_nth(struct db *db, const struct mark *mark, unsigned n)
{
    const struct mark_item *item = mark_inflight(mark, n);
    int r = insert_nth(db, mark, n);
    if (r == 0)
        r = run_with(db, "UPDATE log SET state = ? WHERE seq = ?", LOG_STRAY, item->seq);
    return r == 0 ? noted_add(db, item->expires_ms, item->seq) : r;
}

int stray_make_all(struct db *db, struct mark *mark)
{
    if (mark->inflight_count == 0)
        return 0;
    int r = 0;
    for (unsigned i = 0; r == 0 && i < mark->inflight_count; i++)
        r = make_nth(db, mark, i);
    if (r != 0)
        return r;
    mark->strays += mark->inflight_count;
    mark->delivered = mark->sent;
    mark->base = mark->last_out;
    mark_take_all(mark);
    marks_touch(db, mark);
    return settle_all(db);
}
