/* SPDX-License-Identifier: ISC */
/*
 * Messages whose time in the queue is noted apart.
 */
#include "store/noted.h"

static int write_row(struct db *db, const char *text, uint64_t at_ms, int64_t seq)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, text);
    sql_bind_int(&query, (int64_t)at_ms);
    sql_bind_int(&query, seq);
    return sql_run(&query);
}

int noted_add(struct db *db, uint64_t at_ms, int64_t seq)
{
    if (at_ms == 0)
        return 0;
    int r = write_row(db, "INSERT OR IGNORE INTO expiry (at_ms, seq) VALUES (?, ?)", at_ms, seq);
    if (r == 0)
        db->noted_count += (unsigned)sqlite3_changes(db->sqlite);
    return r;
}

int noted_strike(struct db *db, uint64_t at_ms, int64_t seq)
{
    if (at_ms == 0 || db->noted_count == 0)
        return 0;
    int r = write_row(db, "DELETE FROM expiry WHERE at_ms = ? AND seq = ?", at_ms, seq);
    if (r == 0)
        db->noted_count -= (unsigned)sqlite3_changes(db->sqlite);
    return r;
}

int noted_first(struct db *db, struct noted *noted)
{
    *noted = (struct noted){0};
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT at_ms, seq FROM expiry ORDER BY at_ms, seq LIMIT 1");
    if (sql_row(&query)) {
        noted->at_ms = (uint64_t)sql_int(&query);
        noted->seq = sql_int(&query);
    }
    return query.result;
}

int noted_load(struct db *db)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, "SELECT count(*) FROM expiry");
    db->noted_count = sql_row(&query) ? (unsigned)sql_int(&query) : 0;
    return query.result;
}
