/* SPDX-License-Identifier: ISC */
/*
 * Removing rows. What may be removed is decided by the queries, what goes with it is the same for
 * all of them.
 */
#include "store/retention.h"

#include <errno.h>
#include <string.h>

#include "store/inbound.h"
#include "store/lives.h"
#include "store/log.h"
#include "store/marks.h"
#include "store/requests.h"
#include "store/settle.h"

#define DAY_MS (24ULL * 3600 * 1000)

/* A row that may go. */
struct doomed {
    int64_t seq;
    int64_t peer;
    int64_t type;
    uint64_t size;
    uint8_t state; /* of a message, as a tombstone keeps it */
};

/* The rows of one step. */
struct step {
    struct doomed rows[RETENTION_STEP];
    unsigned count;
    unsigned messages; /* among them */
    uint64_t bytes;    /* of their text */
};

/* --- removing --------------------------------------------------------------------------------- */

static int bury(struct db *db, const struct doomed *row, uint64_t now_ms)
{
    struct uuid id = {0};
    {
        CLEANUP(sql_end)
        struct sql query =
            sql_write(db, "INSERT INTO tombstone (seq, id, peer, type, state, removed_ms)"
                          " SELECT seq, id, peer, type, ?, ? FROM log WHERE seq = ? RETURNING id");
        sql_bind_int(&query, row->state);
        sql_bind_int(&query, (int64_t)now_ms);
        sql_bind_int(&query, row->seq);
        if (sql_row(&query))
            sql_copy(&query, id.bytes, UUID_SIZE);
        if (sql_run(&query) != 0)
            return query.result;
    }
    if (memcmp(id.bytes, db->newest_tombstone.bytes, UUID_SIZE) > 0)
        db->newest_tombstone = id;
    return 0;
}

static int run_with_seq(struct db *db, const char *text, int64_t seq)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, text);
    sql_bind_int(&query, seq);
    return sql_run(&query);
}

static int unlist(struct db *db, const struct doomed *row)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "DELETE FROM message_of_peer WHERE peer = ? AND type = ? AND seq = ?");
    sql_bind_int(&query, row->peer);
    sql_bind_int(&query, row->type);
    sql_bind_int(&query, row->seq);
    return sql_run(&query);
}

static int remove_message(struct db *db, const struct doomed *row, uint64_t now_ms)
{
    struct mark *mark = marks_find(db, row->peer);
    if (mark == NULL)
        return db->failed ? -EIO : sql_damage(db, "peer");
    int r = bury(db, row, now_ms);
    if (r == 0)
        r = unlist(db, row);
    if (r == 0)
        r = run_with_seq(db, "DELETE FROM extra WHERE seq = ?", row->seq);
    if (r == 0)
        r = run_with_seq(db, "DELETE FROM dead WHERE seq = ?", row->seq);
    if (r == 0)
        r = run_with_seq(db, "DELETE FROM transfer WHERE seq = ?", row->seq);
    if (r != 0)
        return r;
    mark->stored.messages--;
    mark->stored.bytes -= row->size;
    if (row->type == MESSAGE_IN)
        inbound_bury(db, mark, row->size);
    marks_touch(db, mark);
    return 0;
}

/* Seqs up to the newest are never given again, whatever is removed. */
static int raise_floor(struct db *db)
{
    return run_with_seq(db, "UPDATE meta SET floor = ?", db->newest);
}

/* What is removed must not be needed to roll the marks forward: they are settled before and after.
 */
static int remove_rows(struct db *db, const struct step *step, uint64_t now_ms)
{
    int r = step->count > 0 ? settle_all(db) : 0;
    if (r == 0 && step->count > 0)
        r = raise_floor(db);
    for (unsigned i = 0; r == 0 && i < step->count; i++) {
        if (step->rows[i].type <= MESSAGE_OUT)
            r = remove_message(db, &step->rows[i], now_ms);
        if (r == 0)
            r = run_with_seq(db, "DELETE FROM log WHERE seq = ?", step->rows[i].seq);
    }
    return r == 0 && step->count > 0 ? settle_all(db) : r;
}

/* --- choosing --------------------------------------------------------------------------------- */

/* The columns that examine() takes. */
#define COLUMNS \
    "m.seq, m.type, m.peer, m.time_ms, m.state, m.text_size, m.detail, m.kind, m.expires_ms"

/* A row, and whether something is still to come of it. */
struct candidate {
    struct doomed row;
    uint64_t time_ms;
    bool kept;
};

static int note_state(void *context, const struct message_row *row)
{
    *(enum message_state *)context = row->state;
    return 0;
}

/* Whether what a row told of last is in the queue: then it stays as well. */
static int tells_of_queue(struct db *db, const struct mark *mark, struct span detail, int64_t seq,
                          bool *is)
{
    enum message_state state = MESSAGE_DELIVERED;
    int r = log_sound(detail, seq) ? 0 : sql_damage(db, "detail");
    if (r == 0 && mark->queue.messages > 0) {
        const struct log_run last = log_get(detail, log_runs(detail) - 1);
        r = messages_at(db, last.first + last.count - 1, note_state, &state);
    }
    *is = state == MESSAGE_QUEUED || state == MESSAGE_SENT;
    return r == DB_NOT_FOUND ? 0 : r;
}

/* Whether a request of a peer is neither answered nor given up. */
static int is_open(struct db *db, int64_t seq, bool *is)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT 1 FROM extra WHERE seq = ? AND call IN (0, 1)");
    sql_bind_int(&query, seq);
    *is = sql_row(&query);
    return query.result;
}

/*
 * A request that has arrived keeps its row until it is over: where it is noted who runs it. One of
 * ours keeps it while its result may come in time: it is transmitted until it expires, and then has
 * as long again to be run.
 */
static int examine_request(struct sql *query, uint64_t now_ms, struct candidate *found)
{
    const uint64_t expires_ms = lives_time(query->db, found->row.seq, sql_int(query));
    if (found->row.type == MESSAGE_IN)
        return is_open(query->db, found->row.seq, &found->kept);
    found->kept = found->kept || (found->row.state == MESSAGE_DELIVERED &&
                                  now_ms < expires_ms + (expires_ms - found->time_ms));
    return 0;
}

static int examine_message(const struct mark *mark, struct sql *query, uint64_t now_ms,
                           struct candidate *found)
{
    const bool by_marks = sql_is_null(query);
    const int64_t state = sql_int(query);
    const bool out = found->row.type == MESSAGE_OUT;
    found->row.size = (uint64_t)sql_int(query);
    const bool transmitted = out && !sql_is_null(query);
    found->row.state = (uint8_t)(by_marks && out ? MESSAGE_DELIVERED : state);
    const bool after_mark = out && found->row.seq > mark->delivered;
    /* One that was transmitted and has ended is what the next one refers to. */
    found->kept = state == LOG_STRAY || (after_mark && by_marks) ||
                  (after_mark && transmitted && mark->queue.messages > 0);
    query->columns++;
    return sql_int(query) == MESSAGE_REQUEST ? examine_request(query, now_ms, found) : 0;
}

static int examine(struct sql *query, uint64_t now_ms, struct candidate *found)
{
    *found = (struct candidate){.row.seq = sql_int(query)};
    found->row.type = sql_int(query);
    found->row.peer = sql_int(query);
    found->time_ms = lives_time(query->db, found->row.seq, sql_int(query));
    const struct mark *mark = marks_find(query->db, found->row.peer);
    if (mark == NULL)
        return query->db->failed ? -EIO : sql_damage(query->db, "peer");
    if (found->row.type <= MESSAGE_OUT) {
        int r = examine_message(mark, query, now_ms, found);
        if (r != 0)
            return r;
    } else if (found->row.type == EVENT_MESSAGE_STATE) {
        query->columns += 2;
        return tells_of_queue(query->db, mark, sql_blob(query), found->row.seq, &found->kept);
    }
    return query->result;
}

static void choose(struct step *step, const struct candidate *candidate)
{
    if (candidate->kept)
        return;
    step->rows[step->count++] = candidate->row;
    step->messages += candidate->row.type <= MESSAGE_OUT;
    step->bytes += candidate->row.size;
}

static bool is_full(const struct step *step)
{
    return step->count == RETENTION_STEP || step->bytes >= RETENTION_STEP_BYTES;
}

/*
 * The log is in the order of time, but for a clock that was set: a row from later than now is
 * passed over, any other that is young enough is the end. What is passed over in one step is not
 * looked at in the next, until one finds nothing.
 */
static int choose_aged(struct db *db, uint64_t before_ms, uint64_t now_ms, struct step *step)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT " COLUMNS " FROM log m WHERE m.seq > ? ORDER BY m.seq");
    sql_bind_int(&query, db->swept);
    while (!is_full(step) && sql_row(&query)) {
        struct candidate candidate;
        int r = examine(&query, now_ms, &candidate);
        if (r != 0)
            return r;
        if (candidate.time_ms >= before_ms && candidate.time_ms <= now_ms)
            break;
        if (candidate.time_ms < before_ms)
            choose(step, &candidate);
        db->swept = candidate.row.seq;
    }
    if (step->count == 0)
        db->swept = 0;
    return query.result;
}

/* The oldest messages beyond a number, and what is told of those. */
static int choose_surplus(struct db *db, uint64_t keep, uint64_t now_ms, struct step *step)
{
    struct messages_size stored;
    int r = messages_count(db, &stored);
    if (r < 0 || stored.messages <= keep)
        return r;
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT " COLUMNS " FROM log m WHERE m.type <= 2 ORDER BY m.seq");
    while (!is_full(step) && step->messages < stored.messages - keep && sql_row(&query)) {
        struct candidate candidate;
        r = examine(&query, now_ms, &candidate);
        if (r != 0)
            return r;
        choose(step, &candidate);
    }
    return query.result;
}

int retention_apply(struct db *db, const struct retention *retention, uint64_t now_ms,
                    unsigned *removed)
{
    struct step step = {.count = 0};
    int r = retention->before_ms > 0 ? choose_aged(db, retention->before_ms, now_ms, &step) : 0;
    if (r == 0 && step.count == 0 && retention->keep_messages > 0)
        r = choose_surplus(db, retention->keep_messages, now_ms, &step);
    if (r == 0)
        r = remove_rows(db, &step, now_ms);
    *removed = step.count;
    return r;
}

/* Takes what a query gives that is from before a time. */
static int choose_old(struct sql *query, uint64_t before_ms, uint64_t now_ms, struct step *step)
{
    while (!is_full(step) && sql_row(query)) {
        struct candidate candidate;
        int r = examine(query, now_ms, &candidate);
        if (r != 0)
            return r;
        if (candidate.time_ms < before_ms)
            choose(step, &candidate);
    }
    return query->result;
}

static const char all_messages[] = "SELECT " COLUMNS " FROM log m WHERE m.type <= 1 AND ?1 = 0"
                                   " ORDER BY m.seq";
static const char messages_of_peer[] =
    "SELECT " COLUMNS " FROM message_of_peer o JOIN log m ON m.seq = o.seq WHERE o.peer = ?1";

int retention_purge(struct db *db, int64_t peer, uint64_t before_ms, uint64_t now_ms,
                    unsigned *removed)
{
    struct step step = {.count = 0};
    *removed = 0;
    int r = settle_all(db);
    if (r != 0)
        return r;
    {
        CLEANUP(sql_end)
        struct sql query = sql_read(db, peer != 0 ? messages_of_peer : all_messages);
        sql_bind_int(&query, peer);
        r = choose_old(&query, before_ms != 0 ? before_ms : UINT64_MAX, now_ms, &step);
    }
    db->scrub = db->scrub || step.count > 0;
    if (r == 0)
        r = remove_rows(db, &step, now_ms);
    *removed = step.count;
    return r;
}

/* The ids of messages that were removed so long ago. */
static int forget_tombstones(struct db *db, uint64_t before_ms, unsigned *removed)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "DELETE FROM tombstone WHERE seq IN (SELECT seq FROM tombstone INDEXED BY"
                      " tombstone_by_time WHERE removed_ms < ? ORDER BY removed_ms LIMIT ?)"
                      " RETURNING peer, type");
    sql_bind_int(&query, (int64_t)before_ms);
    sql_bind_int(&query, RETENTION_STEP);
    while (sql_row(&query)) {
        struct mark *mark = marks_find(db, sql_int(&query));
        if (mark != NULL && sql_int(&query) == MESSAGE_IN)
            inbound_forget(db, mark);
        ++*removed;
    }
    return query.result;
}

/* Minutes and lives of which no row is left. */
static int forget_times(struct db *db)
{
    int r = run_with_seq(
        db,
        "DELETE FROM minute WHERE at_ms IN (SELECT at_ms FROM minute ORDER BY at_ms LIMIT ?)"
        " AND (SELECT n.seq FROM minute n WHERE n.at_ms > minute.at_ms ORDER BY n.at_ms LIMIT 1)"
        " <= (SELECT min(seq) FROM log)",
        RETENTION_STEP);
    if (r == 0)
        r = run_with_seq(
            db,
            "DELETE FROM life WHERE first_seq IN (SELECT first_seq FROM life ORDER BY first_seq"
            " LIMIT ?) AND (SELECT n.first_seq FROM life n WHERE n.first_seq > life.first_seq"
            " ORDER BY n.first_seq LIMIT 1) <= (SELECT min(seq) FROM log)",
            RETENTION_STEP);
    return r == 0 && sqlite3_changes(db->sqlite) > 0 ? lives_load(db) : r;
}

int retention_forget_ids(struct db *db, uint64_t now_ms, unsigned *removed, bool *more)
{
    const uint64_t age = RETENTION_IDS_DAYS * DAY_MS;
    unsigned requests = 0;
    bool over = true;
    *removed = 0;
    *more = false;
    if (now_ms < age)
        return 0;
    int r = forget_tombstones(db, now_ms - age, removed);
    if (r == 0 && *removed > 0)
        r = settle_all(db); /* the log does not say what went */
    if (r == 0)
        r = requests_forget(db, now_ms - age, RETENTION_REQUESTS, &requests, &over);
    *removed += requests;
    *more = *removed > 0 || !over;
    return r == 0 ? forget_times(db) : r;
}
