/* SPDX-License-Identifier: ISC */
/*
 * Rows of transfers.
 */
#include "store/transfers.h"

#include <string.h>

#include "store/lives.h"
#include "store/sql.h"

#define COLUMNS                                                                                 \
    "t.seq, m.peer, p.name, m.type, m.id, m.time_ms, t.uid, t.state, t.reason, t.spool,"        \
    " t.data_size, t.manifest_size, t.entries, t.chunk_log2, t.root FROM transfer t JOIN log m" \
    " ON m.seq = t.seq JOIN peer p ON p.id = m.peer "

int transfers_add(struct db *db, const struct transfer_row *row)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "INSERT INTO transfer (seq, state, spool, uid, data_size, manifest_size,"
                      " entries, chunk_log2, root) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    sql_bind_int(&query, row->seq);
    sql_bind_int(&query, row->state);
    if (row->spooled)
        sql_bind_blob(&query, row->spool, sizeof row->spool);
    else
        sql_bind_null(&query);
    sql_bind_int(&query, row->uid);
    sql_bind_int(&query, (int64_t)row->data_size);
    sql_bind_int(&query, (int64_t)row->manifest_size);
    sql_bind_int(&query, row->entries);
    sql_bind_int(&query, row->chunk_log2);
    sql_bind_blob(&query, row->root, sizeof row->root);
    return sql_run(&query);
}

int transfers_end(struct db *db, int64_t seq, enum transfer_state state, const char *reason,
                  uint64_t now_ms)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE transfer SET state = ?, reason = ?, spool = NULL,"
                                     " ended_ms = ? WHERE seq = ? AND state = 0");
    sql_bind_int(&query, state);
    sql_bind_text(&query, reason);
    sql_bind_int(&query, (int64_t)now_ms);
    sql_bind_int(&query, seq);
    if (sql_run(&query) != 0)
        return query.result;
    return sqlite3_changes(db->sqlite) > 0 ? 0 : DB_NOT_FOUND;
}

static int read_row(struct sql *query, struct transfer_row *row)
{
    *row = (struct transfer_row){.seq = sql_int(query)};
    row->peer = sql_int(query);
    sql_copy_text(query, row->peer_name, sizeof row->peer_name);
    row->direction = (enum message_direction)sql_enum(query, MESSAGE_OUT);
    sql_copy(query, row->id.bytes, UUID_SIZE);
    row->time_ms = lives_time(query->db, row->seq, sql_int(query));
    row->uid = (uint32_t)sql_int(query);
    row->state = (enum transfer_state)sql_enum(query, TRANSFER_EXPIRED);
    sql_copy_text(query, row->reason, sizeof row->reason);
    row->spooled = sql_copy(query, row->spool, sizeof row->spool);
    row->data_size = (uint64_t)sql_int(query);
    row->manifest_size = (uint64_t)sql_int(query);
    row->entries = (uint32_t)sql_int(query);
    row->chunk_log2 = (uint8_t)sql_int(query);
    sql_copy(query, row->root, sizeof row->root);
    return query->result;
}

int transfers_find(struct db *db, const struct uuid *id, int64_t peer,
                   enum message_direction direction, struct transfer_row *row)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT " COLUMNS "WHERE m.id = ?1 AND m.type = ?3"
                                    " AND (?2 = 0 OR m.peer = ?2) LIMIT 1");
    sql_bind_uuid(&query, id);
    sql_bind_int(&query, peer);
    sql_bind_int(&query, direction);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    return read_row(&query, row);
}

int transfers_at(struct db *db, int64_t seq, struct transfer_row *row)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT " COLUMNS "WHERE t.seq = ?");
    sql_bind_int(&query, seq);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    return read_row(&query, row);
}

int transfers_each(struct db *db, bool ended, transfers_visit *visit, void *context)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT " COLUMNS "WHERE t.state = 0 OR ?1 = 1 ORDER BY t.seq");
    sql_bind_int(&query, ended);
    while (sql_row(&query)) {
        struct transfer_row row;
        int r = read_row(&query, &row);
        if (r == 0)
            r = visit(context, &row);
        if (r < 0)
            return r;
    }
    return query.result;
}

/* --- sums ------------------------------------------------------------------------------------- */

static int read_sum(struct sql *query, uint64_t *sum)
{
    *sum = sql_row(query) ? (uint64_t)sql_int(query) : 0;
    return query->result;
}

int transfers_of_spool(struct db *db, const uint8_t spool[static TRANSFER_SPOOL_SIZE],
                       unsigned *count)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT count(*) FROM transfer WHERE spool = ?");
    uint64_t sum;
    sql_bind_blob(&query, spool, TRANSFER_SPOOL_SIZE);
    int r = read_sum(&query, &sum);
    *count = (unsigned)sum;
    return r;
}

int transfers_spooled(struct db *db, int64_t peer, uint64_t *bytes)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT ifnull(sum(size), 0) FROM (SELECT max(t.data_size + t.manifest_size)"
                     " AS size FROM transfer t JOIN log m ON m.seq = t.seq"
                     " WHERE t.spool IS NOT NULL AND (?1 = 0 OR m.peer = ?1) GROUP BY t.spool)");
    sql_bind_int(&query, peer);
    return read_sum(&query, bytes);
}

int transfers_open(struct db *db, int64_t peer, enum message_direction direction, unsigned *count)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT count(*) FROM transfer t JOIN log m ON m.seq = t.seq"
                                    " WHERE t.state = 0 AND m.peer = ? AND m.type = ?");
    uint64_t sum;
    sql_bind_int(&query, peer);
    sql_bind_int(&query, direction);
    int r = read_sum(&query, &sum);
    *count = (unsigned)sum;
    return r;
}
