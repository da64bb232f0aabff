/* SPDX-License-Identifier: ISC */
/*
 * Rows of invites.
 */
#include "store/invites.h"

#include "store/sql.h"

int invites_add(struct db *db, const struct invite_row *row)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(
        db, "INSERT INTO invite (id, secret, name, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?)");
    sql_bind_blob(&query, row->id, sizeof row->id);
    sql_bind_blob(&query, row->secret, sizeof row->secret);
    sql_bind_text(&query, row->name);
    sql_bind_int(&query, (int64_t)row->created_ms);
    sql_bind_int(&query, (int64_t)row->expires_ms);
    return sql_run(&query);
}

static void read_row(struct sql *query, struct invite_row *row)
{
    sql_copy(query, row->id, sizeof row->id);
    sql_copy(query, row->secret, sizeof row->secret);
    sql_copy_text(query, row->name, sizeof row->name);
    row->created_ms = (uint64_t)sql_int(query);
    row->expires_ms = (uint64_t)sql_int(query);
}

int invites_get(struct db *db, const uint8_t id[static INVITE_ROW_ID_SIZE], struct invite_row *row)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT id, secret, name, created_ms, expires_ms FROM invite WHERE id = ?");
    sql_bind_blob(&query, id, INVITE_ROW_ID_SIZE);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    read_row(&query, row);
    return query.result;
}

int invites_remove(struct db *db, const uint8_t id[static INVITE_ROW_ID_SIZE])
{
    CLEANUP(sql_end) struct sql query = sql_write(db, "DELETE FROM invite WHERE id = ?");
    sql_bind_blob(&query, id, INVITE_ROW_ID_SIZE);
    if (sql_run(&query) != 0)
        return query.result;
    return sqlite3_changes(db->sqlite) > 0 ? 0 : DB_NOT_FOUND;
}

int invites_expire(struct db *db, uint64_t now_ms)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, "DELETE FROM invite WHERE expires_ms <= ?");
    sql_bind_int(&query, (int64_t)now_ms);
    return sql_run(&query);
}

int invites_each(struct db *db, int (*visit)(void *context, const struct invite_row *row),
                 void *context)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT id, secret, name, created_ms, expires_ms FROM invite"
                                    " ORDER BY created_ms, id");
    while (sql_row(&query)) {
        struct invite_row row;
        read_row(&query, &row);
        if (query.result != 0)
            break;
        int r = visit(context, &row);
        if (r < 0)
            return r;
    }
    return query.result;
}
