/* SPDX-License-Identifier: ISC */
/*
 * Removing rows. What may be removed is decided by the queries, what goes with it is the same for
 * all of them.
 */
#include "store/retention.h"

#include "store/sql.h"

#define DAY_MS (24ULL * 3600 * 1000)

/* Seqs of the rows of one step. */
struct step {
    int64_t seqs[RETENTION_STEP];
    unsigned count;
};

static int run_with_seq(struct db *db, const char *text, int64_t seq)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, text);
    sql_bind_int(&query, seq);
    return sql_run(&query);
}

static int bury(struct db *db, int64_t seq, uint64_t now_ms)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(
        db, "INSERT INTO tombstone (id, peer, direction, seq, state, client_id, removed_ms)"
            " SELECT id, peer, direction, seq, state, client_id, ?"
            " FROM message WHERE seq = ?");
    sql_bind_int(&query, (int64_t)now_ms);
    sql_bind_int(&query, seq);
    return sql_run(&query);
}

/* Removes an event and, if it announced a message, the message with all that was told of it. */
static int remove_event(struct db *db, int64_t seq, uint64_t now_ms)
{
    int r = bury(db, seq, now_ms);
    if (r == 0)
        r = run_with_seq(db, "DELETE FROM message WHERE seq = ?", seq);
    if (r == 0)
        r = run_with_seq(db, "DELETE FROM event WHERE message = ?", seq);
    if (r == 0)
        r = run_with_seq(db, "DELETE FROM event WHERE seq = ?", seq);
    return r;
}

static int remove_events(struct db *db, const struct step *step, uint64_t now_ms)
{
    int r = 0;
    for (unsigned i = 0; r == 0 && i < step->count; i++)
        r = remove_event(db, step->seqs[i], now_ms);
    return r;
}

/* Adds what the query gives, as far as there is room; `most` rows at most. */
static int collect(struct sql *query, uint64_t most, struct step *step)
{
    for (uint64_t i = 0; i < most && step->count < RETENTION_STEP && sql_row(query); i++)
        step->seqs[step->count++] = sql_int(query);
    return query->result;
}

#define QUEUE "(SELECT seq FROM message INDEXED BY message_queue WHERE state IN (1, 2))"

static int collect_aged(struct db *db, uint64_t before_ms, struct step *step)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT seq FROM event INDEXED BY event_by_time WHERE time_ms < ?"
                     " AND ifnull(message, seq) NOT IN " QUEUE " ORDER BY time_ms");
    sql_bind_int(&query, (int64_t)before_ms);
    return collect(&query, RETENTION_STEP, step);
}

static int collect_surplus(struct db *db, uint64_t keep, struct step *step)
{
    struct messages_size stored;
    int r = messages_count(db, &stored);
    if (r < 0 || stored.messages <= keep)
        return r;
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT seq FROM message WHERE seq NOT IN " QUEUE " ORDER BY seq");
    return collect(&query, stored.messages - keep, step);
}

int retention_apply(struct db *db, const struct retention *retention, uint64_t now_ms,
                    unsigned *removed)
{
    struct step step = {.count = 0};
    int r = retention->before_ms > 0 ? collect_aged(db, retention->before_ms, &step) : 0;
    if (r == 0 && step.count == 0 && retention->keep_messages > 0)
        r = collect_surplus(db, retention->keep_messages, &step);
    if (r == 0)
        r = remove_events(db, &step, now_ms);
    *removed = step.count;
    return r;
}

int retention_purge(struct db *db, int64_t peer, uint64_t before_ms, uint64_t now_ms,
                    unsigned *removed)
{
    struct step step = {.count = 0};
    {
        CLEANUP(sql_end)
        struct sql query = peer != 0 ? sql_read(db, "SELECT seq FROM message WHERE peer = ?1"
                                                    " AND seq NOT IN " QUEUE " AND time_ms < ?2")
                                     : sql_read(db, "SELECT seq FROM message WHERE ?1 = 0"
                                                    " AND seq NOT IN " QUEUE " AND time_ms < ?2");
        sql_bind_int(&query, peer);
        sql_bind_int(&query, before_ms != 0 ? (int64_t)before_ms : INT64_MAX);
        collect(&query, RETENTION_STEP, &step);
        if (query.result != 0)
            return query.result;
    }
    *removed = step.count;
    return remove_events(db, &step, now_ms);
}

int retention_forget_ids(struct db *db, uint64_t now_ms, unsigned *removed)
{
    const uint64_t age = RETENTION_IDS_DAYS * DAY_MS;
    *removed = 0;
    if (now_ms < age)
        return 0;
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "DELETE FROM tombstone WHERE (id, peer, direction) IN"
                      " (SELECT id, peer, direction FROM tombstone INDEXED BY tombstone_by_time"
                      "  WHERE removed_ms < ? ORDER BY removed_ms LIMIT ?)");
    sql_bind_int(&query, (int64_t)(now_ms - age));
    sql_bind_int(&query, RETENTION_STEP);
    if (sql_run(&query) == 0)
        *removed = (unsigned)sqlite3_changes(db->sqlite);
    return query.result;
}
