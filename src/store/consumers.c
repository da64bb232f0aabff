/* SPDX-License-Identifier: ISC */
/*
 * Rows of consumers.
 */
#include "store/consumers.h"

#include "store/sql.h"

int consumers_find(struct db *db, const char *name, int64_t *seq)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT seq FROM consumer WHERE name = ?");
    sql_bind_text(&query, name);
    if (sql_row(&query)) {
        *seq = sql_int(&query);
        return 0;
    }
    return query.result != 0 ? query.result : DB_NOT_FOUND;
}

static int make_room(struct db *db)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "DELETE FROM consumer WHERE name IN (SELECT name FROM consumer"
                                     " ORDER BY used_ms DESC LIMIT -1 OFFSET ?)");
    sql_bind_int(&query, CONSUMERS_MAX - 1);
    return sql_run(&query);
}

static int set(struct db *db, const struct consumer_row *row)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "INSERT INTO consumer (name, seq, used_ms) VALUES (?, ?, ?)"
                                     " ON CONFLICT (name) DO UPDATE SET"
                                     " seq = max(seq, excluded.seq), used_ms = excluded.used_ms");
    sql_bind_text(&query, row->name);
    sql_bind_int(&query, row->seq);
    sql_bind_int(&query, (int64_t)row->used_ms);
    return sql_run(&query);
}

int consumers_set(struct db *db, const struct consumer_row *row)
{
    int64_t seq;
    int r = consumers_find(db, row->name, &seq);
    if (r == DB_NOT_FOUND)
        r = make_room(db);
    return r == 0 ? set(db, row) : r;
}

int consumers_remove(struct db *db, const char *name)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, "DELETE FROM consumer WHERE name = ?");
    sql_bind_text(&query, name);
    if (sql_run(&query) != 0)
        return query.result;
    return sqlite3_changes(db->sqlite) > 0 ? 0 : DB_NOT_FOUND;
}

int consumers_each(struct db *db, int (*visit)(void *context, const struct consumer_row *row),
                   void *context)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT name, seq, used_ms FROM consumer ORDER BY name");
    while (sql_row(&query)) {
        struct consumer_row row = {.name = sql_text(&query)};
        row.seq = sql_int(&query);
        row.used_ms = (uint64_t)sql_int(&query);
        int r = visit(context, &row);
        if (r < 0)
            return r;
    }
    return query.result;
}
