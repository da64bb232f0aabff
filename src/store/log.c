/* SPDX-License-Identifier: ISC */
/*
 * The log's rows as they are written.
 */
#include "store/log.h"

#include <string.h>

#include "store/lives.h"

enum {
    RUNS_AT = 2,
    RUN_SIZE = 12,
};

/* --- details ---------------------------------------------------------------------------------- */

int log_put(struct bytes *detail, int64_t message)
{
    const unsigned count = detail->size > 0 ? get_u16(detail->data) : 0;
    if (count > 0) {
        uint8_t *last = detail->data + RUNS_AT + (count - 1) * RUN_SIZE;
        const uint32_t length = get_u32(last + 8);
        if (get_u64(last) + length == (uint64_t)message) {
            put_u32(last + 8, length + 1);
            return 0;
        }
    }
    int r = bytes_reserve(detail, RUNS_AT + RUN_SIZE);
    if (r < 0)
        return r;
    if (count == 0)
        bytes_append_u16(detail, 0);
    bytes_append_u64(detail, (uint64_t)message);
    bytes_append_u32(detail, 1);
    put_u16(detail->data, (uint16_t)(count + 1));
    return 0;
}

unsigned log_runs(struct span detail)
{
    if (detail.size < RUNS_AT)
        return 0;
    const unsigned count = get_u16(detail.data);
    return detail.size >= RUNS_AT + (size_t)count * RUN_SIZE ? count : 0;
}

struct log_run log_get(struct span detail, unsigned index)
{
    const uint8_t *at = detail.data + RUNS_AT + (size_t)index * RUN_SIZE;
    return (struct log_run){(int64_t)get_u64(at), get_u32(at + 8)};
}

bool log_sound(struct span detail, int64_t seq)
{
    int64_t left = seq; /* each has had a seq of its own */
    const unsigned runs = log_runs(detail);
    for (unsigned i = 0; i < runs; i++) {
        const struct log_run run = log_get(detail, i);
        left -= run.count;
        if (run.first < 1 || run.count < 1 || run.first >= seq || left < 0 ||
            run.count > seq - run.first)
            return false;
    }
    return runs > 0;
}

struct span log_reason(struct span detail)
{
    const size_t at = RUNS_AT + (size_t)log_runs(detail) * RUN_SIZE;
    return SPAN(detail.data + at, detail.size - at);
}

uint32_t log_width(struct span detail)
{
    uint32_t width = 0;
    for (unsigned i = 0; i < log_runs(detail); i++)
        width += log_get(detail, i).count;
    return width;
}

/* The detail of one message. 0 or -ENOMEM. */
static int make_detail(struct bytes *detail, int64_t message, const char *reason)
{
    int r = log_put(detail, message);
    return r == 0 && reason != NULL ? bytes_append(detail, reason, strlen(reason)) : r;
}

static void sql_about(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct bytes detail = {0};
    (void)count;
    if (make_detail(&detail, sqlite3_value_int64(values[0]),
                    (const char *)sqlite3_value_text(values[1])) < 0)
        sqlite3_result_error_nomem(context);
    else
        sqlite3_result_blob64(context, detail.data, detail.size, SQLITE_TRANSIENT);
    bytes_deinit(&detail);
}

int log_register(sqlite3 *sqlite)
{
    return sqlite3_create_function_v2(sqlite, "about", 2,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                      sql_about, NULL, NULL, NULL);
}

/* --- rows ------------------------------------------------------------------------------------- */

/* Notes the first row of a minute, for those that look for a time. */
static int note_minute(struct db *db, uint64_t time_ms, int64_t seq)
{
    const uint64_t minute = time_ms - time_ms % LOG_MINUTE_MS;
    if (db->minute_known && minute == db->minute_ms)
        return 0;
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "INSERT OR IGNORE INTO minute (at_ms, seq) VALUES (?, ?)");
    sql_bind_int(&query, (int64_t)minute);
    sql_bind_int(&query, seq);
    if (sql_run(&query) != 0)
        return query.result;
    db->minute_known = true;
    db->minute_ms = minute;
    return 0;
}

/* Zero is NULL. */
static void bind_some(struct sql *query, int64_t value)
{
    if (value != 0)
        sql_bind_int(query, value);
    else
        sql_bind_null(query);
}

static void bind_message(struct sql *query, const struct message_row *row)
{
    sql_bind_blob(query, row->id.bytes, UUID_SIZE);
    if (row->sent_ms != row->time_ms)
        sql_bind_int(query, (int64_t)row->sent_ms);
    else
        sql_bind_null(query);
    bind_some(query, (int64_t)row->expires_ms);
    sql_bind_int(query, (int64_t)row->text_size);
    sql_bind_text(query, row->client_id);
    sql_bind_blob(query, row->body.size > 0 ? row->body.data : NULL, row->body.size);
    bind_some(query, row->kind);
    bind_some(query, row->needs);
}

static int insert(struct db *db, const struct log_row *entry, int64_t seq)
{
    static const char with_trust[] =
        "INSERT INTO log (seq, type, peer, time_ms, detail, state, trust, id, sent_ms, expires_ms,"
        " text_size, client_id, body, kind, needs)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    static const char trust_now[] =
        "INSERT INTO log (seq, type, peer, time_ms, detail, state, trust)"
        " VALUES (?, ?, ?3, ?, ?, ?, (SELECT trust FROM peer WHERE id = ?3))";
    CLEANUP(sql_end)
    struct sql query = sql_write(db, entry->trust_now ? trust_now : with_trust);
    sql_bind_int(&query, seq);
    sql_bind_int(&query, entry->type);
    sql_bind_int(&query, entry->peer);
    sql_bind_int(&query, (int64_t)entry->time_ms);
    sql_bind_blob(&query, entry->detail.size > 0 ? entry->detail.data : NULL, entry->detail.size);
    if (entry->type == EVENT_MESSAGE_STATE)
        sql_bind_int(&query, entry->state);
    else
        sql_bind_null(&query);
    if (!entry->trust_now)
        sql_bind_int(&query, entry->trust);
    if (entry->message != NULL)
        bind_message(&query, entry->message);
    return sql_run(&query);
}

int log_append(struct db *db, const struct log_row *entry, int64_t *seq)
{
    const int64_t last = db->newest + entry->width;
    int r = insert(db, entry, last);
    if (r == 0)
        r = lives_note(db, db->newest + 1);
    if (r == 0)
        r = note_minute(db, entry->time_ms, db->newest + 1);
    if (r == 0)
        db->newest = *seq = last;
    return r;
}

int log_append_state(struct db *db, int64_t peer, int64_t message, enum message_state state,
                     const char *reason, uint64_t now_ms)
{
    struct bytes detail = {0};
    int64_t seq;
    int r = make_detail(&detail, message, reason);
    if (r == 0) {
        const struct log_row entry = {.type = EVENT_MESSAGE_STATE,
                                      .peer = peer,
                                      .trust_now = true,
                                      .time_ms = now_ms,
                                      .state = state,
                                      .detail = bytes_span(&detail),
                                      .width = 1};
        r = log_append(db, &entry, &seq);
    }
    bytes_deinit(&detail);
    return r;
}
