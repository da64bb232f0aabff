/* SPDX-License-Identifier: ISC */
/*
 * Rows of services and of those that may call them.
 */
#include "store/served.h"

#include "store/sql.h"

/* NULL for the peer stands for everybody. */
static int allow(struct db *db, const char *name, const int64_t *peer)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "INSERT INTO service_allow (name, peer) VALUES (?, ?)");
    sql_bind_text(&query, name);
    if (peer != NULL)
        sql_bind_int(&query, *peer);
    else
        sql_bind_null(&query);
    return sql_run(&query);
}

static int remove_from(struct db *db, const char *text, const char *name)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, text);
    sql_bind_text(&query, name);
    return sql_run(&query);
}

int served_remove(struct db *db, const char *name)
{
    int r = remove_from(db, "DELETE FROM service_allow WHERE name = ?", name);
    return r == 0 ? remove_from(db, "DELETE FROM service WHERE name = ?", name) : r;
}

static int add(struct db *db, const struct served_row *row)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "INSERT INTO service (name, uid, tofu) VALUES (?, ?, ?)");
    sql_bind_text(&query, row->name);
    sql_bind_int(&query, row->uid);
    sql_bind_int(&query, row->tofu);
    return sql_run(&query);
}

int served_put(struct db *db, const struct served_row *row)
{
    int r = served_remove(db, row->name);
    if (r == 0)
        r = add(db, row);
    if (r == 0 && row->everybody)
        r = allow(db, row->name, NULL);
    for (unsigned i = 0; r == 0 && i < row->peer_count; i++)
        r = allow(db, row->name, &row->peers[i]);
    return r;
}

int served_merge(struct db *db, int64_t from, int64_t to)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE service_allow SET peer = ? WHERE peer = ?");
    sql_bind_int(&query, to);
    sql_bind_int(&query, from);
    return sql_run(&query);
}

static int read_allowed(struct db *db, struct served_row *row)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT peer FROM service_allow WHERE name = ?");
    sql_bind_text(&query, row->name);
    while (sql_row(&query)) {
        if (sql_is_null(&query))
            row->everybody = true;
        else if (row->peer_count < SERVED_PEERS_MAX)
            row->peers[row->peer_count++] = sql_int(&query);
    }
    return query.result;
}

int served_each(struct db *db, served_visit *visit, void *context)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, "SELECT name, uid, tofu FROM service");
    int r = 0;
    while (r == 0 && sql_row(&query)) {
        struct served_row row = {.name = sql_text(&query)};
        row.uid = (uint32_t)sql_int(&query);
        row.tofu = sql_int(&query) != 0;
        r = read_allowed(db, &row);
        if (r == 0)
            r = visit(context, &row);
    }
    return r < 0 ? r : query.result;
}
