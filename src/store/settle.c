/* SPDX-License-Identifier: ISC */
/*
 * Storing what follows from the log.
 */
#include "store/settle.h"

#include <errno.h>

#include "store/marks.h"

static int store_mark(struct db *db, struct mark *mark)
{
    mark_catch_up(mark, db->newest);
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "UPDATE peer_mark SET last_in = ?, last_out = ?, base = ?, sent = ?,"
                      " delivered = ?, messages = ?, bytes = ?, inbound = ? WHERE peer = ?");
    sql_bind_uuid(&query, &mark->last_in);
    sql_bind_uuid(&query, &mark->last_out);
    sql_bind_uuid(&query, &mark->base);
    sql_bind_int(&query, mark->sent);
    sql_bind_int(&query, mark->delivered);
    sql_bind_int(&query, (int64_t)mark->stored.messages);
    sql_bind_int(&query, (int64_t)mark->stored.bytes);
    sql_bind_int(&query, (int64_t)mark->inbound);
    sql_bind_int(&query, mark->peer);
    if (sql_run(&query) == 0)
        list_remove(&mark->dirty);
    return query.result;
}

static int store_marks(struct db *db)
{
    int r = 0;
    list_for_each_safe (node, &db->marks->dirty) {
        r = store_mark(db, container_of(node, struct mark, dirty));
        if (r != 0)
            break;
    }
    return r;
}

static int list_messages(struct db *db)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "INSERT INTO message_of_peer SELECT peer, type, seq FROM log"
                                     " WHERE seq > ? AND id IS NOT NULL");
    sql_bind_int(&query, db->settled);
    return sql_run(&query);
}

static int note_settled(struct db *db)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, "UPDATE meta SET settled = ?");
    sql_bind_int(&query, db->newest);
    if (sql_run(&query) == 0)
        db->settled = db->newest;
    return query.result;
}

int settle_all(struct db *db)
{
    if (!marks_fresh(db))
        return -EIO;
    int r = marks_tell_all(db);
    if (r == 0)
        r = list_messages(db);
    if (r == 0)
        r = store_marks(db);
    return r == 0 ? note_settled(db) : r;
}

int settle_commit(struct db *db)
{
    int r = marks_tell_all(db);
    return r == 0 && db->newest - db->settled >= SETTLE_TAIL_MAX ? settle_all(db) : r;
}
