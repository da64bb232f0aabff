/* SPDX-License-Identifier: ISC */
/*
 * Rows of requests and what became of them.
 */
#include "store/calls.h"

#include "store/lives.h"
#include "store/sql.h"

static unsigned pack(uint8_t outcome, uint8_t status)
{
    return outcome * 256u + status;
}

static void unpack(int64_t packed, uint8_t *outcome, uint8_t *status)
{
    *outcome = (uint8_t)(packed >> 8);
    *status = (uint8_t)packed;
}

/* --- of peers --------------------------------------------------------------------------------- */

int calls_add(struct db *db, const struct call_row *row)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(
        db,
        "INSERT INTO extra (seq, peer, service, call, call_deadline_ms) VALUES (?, ?, ?, 0, ?)");
    sql_bind_int(&query, row->seq);
    sql_bind_int(&query, row->peer);
    sql_bind_text(&query, row->service);
    sql_bind_int(&query, (int64_t)row->deadline_ms);
    return sql_run(&query);
}

int calls_claim(struct db *db, int64_t seq, const uint8_t claim[static CALL_CLAIM_SIZE])
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE extra SET call = 1, claim = ? WHERE seq = ?");
    sql_bind_blob(&query, claim, CALL_CLAIM_SIZE);
    sql_bind_int(&query, seq);
    return sql_run(&query);
}

int calls_end(struct db *db, int64_t seq, uint8_t outcome, uint8_t status)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE extra SET call = 2, result = ? WHERE seq = ?");
    sql_bind_int(&query, pack(outcome, status));
    sql_bind_int(&query, seq);
    return sql_run(&query);
}

int calls_each_open(struct db *db, calls_visit *visit, void *context)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT e.seq, m.peer, m.id, e.service, e.call, e.call_deadline_ms, e.claim"
                     " FROM extra e INDEXED BY extra_by_deadline JOIN log m ON m.seq = e.seq"
                     " WHERE e.call IN (0, 1) ORDER BY e.seq");
    int r = 0;
    while (r == 0 && sql_row(&query)) {
        struct call_row row = {.seq = sql_int(&query)};
        row.peer = sql_int(&query);
        sql_copy(&query, row.id.bytes, UUID_SIZE);
        sql_copy_text(&query, row.service, sizeof row.service);
        row.state = (enum call_state)sql_enum(&query, CALL_ENDED);
        row.deadline_ms = lives_time(db, row.seq, sql_int(&query));
        row.claimed = sql_copy(&query, row.claim, CALL_CLAIM_SIZE);
        if (query.result != 0)
            break;
        r = visit(context, &row);
    }
    return r < 0 ? r : query.result;
}

int calls_ended_as(struct db *db, const struct uuid *id, uint8_t outcome, uint8_t status)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT 1 FROM log m JOIN extra e ON e.seq = m.seq"
                                    " WHERE m.id = ? AND m.type = 0 AND e.result = ?");
    sql_bind_blob(&query, id->bytes, UUID_SIZE);
    sql_bind_int(&query, pack(outcome, status));
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    return 0;
}

/* --- our own ---------------------------------------------------------------------------------- */

int calls_set_result(struct db *db, const struct message_row *request,
                     const struct call_result *result)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "INSERT INTO extra (seq, peer, result, result_seq) VALUES (?, ?, ?, ?)");
    sql_bind_int(&query, request->seq);
    sql_bind_int(&query, request->peer);
    sql_bind_int(&query, pack(result->outcome, result->status));
    sql_bind_int(&query, result->seq);
    return sql_run(&query);
}

int calls_find_result(struct db *db, int64_t request, struct call_result *result)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT result, result_seq FROM extra WHERE seq = ?"
                                    " AND result_seq IS NOT NULL");
    sql_bind_int(&query, request);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    unpack(sql_int(&query), &result->outcome, &result->status);
    result->seq = sql_int(&query);
    return query.result;
}
