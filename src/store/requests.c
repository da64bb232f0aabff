/* SPDX-License-Identifier: ISC */
/*
 * Rows of requests.
 */
#include "store/requests.h"

#include <string.h>

#include "store/sql.h"

int requests_add(struct db *db, const struct request_row *row)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "INSERT INTO client_request (uid, client_id, digest, first, count, time_ms)"
                      " VALUES (?, ?, ?, ?, ?, ?)");
    sql_bind_int(&query, row->uid);
    sql_bind_text(&query, row->client_id);
    sql_bind_blob(&query, row->digest, sizeof row->digest);
    sql_bind_int(&query, row->first);
    sql_bind_int(&query, row->count);
    sql_bind_int(&query, (int64_t)row->time_ms);
    return sql_run(&query);
}

int requests_find(struct db *db, struct request_row *row)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT digest, first, count, time_ms FROM client_request"
                                    " WHERE uid = ? AND client_id = ?");
    sql_bind_int(&query, row->uid);
    sql_bind_text(&query, row->client_id);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    const struct span digest = sql_blob(&query);
    row->compared = digest.size == sizeof row->digest;
    if (row->compared)
        memcpy(row->digest, digest.data, sizeof row->digest);
    row->first = sql_int(&query);
    row->count = (uint32_t)sql_int(&query);
    row->time_ms = (uint64_t)sql_int(&query);
    return query.result;
}

/* --- forgetting ------------------------------------------------------------------------------- */

/* Finds the last of the rows to look at. False: there are fewer than that. */
static bool find_end(struct db *db, unsigned limit, struct db_request *end, int *result)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT uid, client_id FROM client_request"
                                    " WHERE (uid, client_id) > (?, ?) ORDER BY uid, client_id"
                                    " LIMIT 1 OFFSET ?");
    sql_bind_int(&query, db->looked_at.uid);
    sql_bind_text(&query, db->looked_at.client_id);
    sql_bind_int(&query, limit - 1);
    const bool found = sql_row(&query);
    if (found) {
        end->uid = sql_int(&query);
        sql_copy_text(&query, end->client_id, sizeof end->client_id);
    }
    *result = query.result;
    return found && query.result == 0;
}

/* Removes those that are old, up to `end`. */
static int remove_old(struct db *db, uint64_t before_ms, const struct db_request *end)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "DELETE FROM client_request WHERE (uid, client_id) > (?1, ?2)"
                                     " AND (uid, client_id) <= (?3, ?4) AND time_ms < ?5");
    sql_bind_int(&query, db->looked_at.uid);
    sql_bind_text(&query, db->looked_at.client_id);
    sql_bind_int(&query, end->uid);
    sql_bind_text(&query, end->client_id);
    sql_bind_int(&query, (int64_t)before_ms);
    return sql_run(&query);
}

int requests_forget(struct db *db, uint64_t before_ms, unsigned limit, unsigned *removed,
                    bool *over)
{
    struct db_request end = {.uid = INT64_MAX};
    int r;
    *removed = 0;
    *over = !find_end(db, limit, &end, &r);
    if (r == 0)
        r = remove_old(db, before_ms, &end);
    if (r != 0)
        return r;
    *removed = (unsigned)sqlite3_changes(db->sqlite);
    if (*over)
        db->looked_at = (struct db_request){0};
    else
        db->looked_at = end;
    return 0;
}
