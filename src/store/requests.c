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
