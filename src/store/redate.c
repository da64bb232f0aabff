/* SPDX-License-Identifier: ISC */
/*
 * Times that move with the clock.
 */
#include "store/redate.h"

#include <errno.h>

#include "store/lives.h"
#include "store/log.h"
#include "store/marks.h"

/* Whole minutes, so that no two of `minute` become one; never into the future. */
static int64_t whole_minutes(int64_t by_ms)
{
    const int64_t rest = by_ms % LOG_MINUTE_MS;
    return by_ms - (rest < 0 ? rest + LOG_MINUTE_MS : rest);
}

static int run(struct db *db, const char *text, int64_t by_ms, int64_t from, int64_t to)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, text);
    sql_bind_int(&query, by_ms);
    sql_bind_int(&query, from);
    sql_bind_int(&query, to);
    return sql_run(&query);
}

/* Moves the rows from `first` on. */
static int move_log(struct db *db, int64_t by_ms, int64_t first)
{
    static const char *const texts[] = {
        "UPDATE life SET shift_ms = shift_ms + ?1 WHERE first_seq BETWEEN ?2 AND ?3",
        "UPDATE expiry SET at_ms = max(at_ms + ?1, 1) WHERE seq BETWEEN ?2 AND ?3",
        /* By way of negative times: another minute may still have the time that one gets. */
        "UPDATE OR REPLACE minute SET at_ms = -1 - max(at_ms + ?1, 0) WHERE seq BETWEEN ?2 AND ?3",
        "INSERT INTO minute (at_ms, seq) SELECT -1 - at_ms, seq FROM minute"
        " WHERE at_ms < 0 AND seq BETWEEN ?2 AND ?3"
        " ON CONFLICT (at_ms) DO UPDATE SET seq = min(seq, excluded.seq)",
        "DELETE FROM minute WHERE at_ms < 0 AND seq BETWEEN ?2 AND ?3",
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof texts / sizeof *texts; i++)
        r = run(db, texts[i], by_ms, first, db->dated);
    db->minute_known = false;
    return r == 0 ? lives_part(db) : r;
}

static void move_item(struct mark_item *item, int64_t by_ms, int64_t first, int64_t last)
{
    if (item->expires_ms != 0 && item->seq >= first && item->seq <= last)
        item->expires_ms = lives_moved(item->expires_ms, by_ms);
}

/* What memory has of the queues. */
static void move_marks(struct db *db, int64_t by_ms, int64_t first)
{
    for (unsigned i = 0; i < db->marks->count; i++) {
        struct mark *mark = db->marks->list[i];
        move_item(&mark->next, by_ms, first, db->dated);
        for (unsigned n = 0; n < mark->inflight_count; n++)
            move_item(mark_inflight(mark, n), by_ms, first, db->dated);
        if (by_ms > 0 && mark->latest_ms != 0 && mark->latest_ms < UINT64_MAX - (uint64_t)by_ms)
            mark->latest_ms += (uint64_t)by_ms;
    }
}

/* What is not in the log has nothing but its time to tell when it was made. */
static int move_others(struct db *db, int64_t by_ms, const struct redate *step)
{
    static const char *const texts[] = {
        "UPDATE tombstone SET removed_ms = removed_ms + ?1 WHERE removed_ms BETWEEN ?2 AND ?3",
        "UPDATE client_request SET time_ms = time_ms + ?1 WHERE time_ms BETWEEN ?2 AND ?3",
        ("UPDATE invite SET created_ms = created_ms + ?1, expires_ms = expires_ms + ?1"
         " WHERE created_ms BETWEEN ?2 AND ?3"),
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof texts / sizeof *texts; i++)
        r = run(db, texts[i], by_ms, (int64_t)step->began_ms, (int64_t)step->ended_ms);
    return r;
}

void redate_turn_over(struct db *db)
{
    db->dated = db->newest;
}

int redate_rows(struct db *db, const struct redate *step)
{
    const int64_t by_ms = whole_minutes(step->by_ms);
    if (!marks_fresh(db))
        return -EIO;
    const int64_t first = lives_first(db);
    int r = 0;
    if (first <= db->dated) {
        r = move_log(db, by_ms, first);
        move_marks(db, by_ms, first);
    }
    db->swept = 0;
    return r == 0 ? move_others(db, by_ms, step) : r;
}
