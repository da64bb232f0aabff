/* SPDX-License-Identifier: ISC */
/*
 * Statements and their results. Opening and committing are in db.c.
 */
#define LOG_COMPONENT "store"
#include "store/sql.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* Nothing more is believed, whatever it was. Whether this is the first time. */
static bool distrust(struct db *db)
{
    if (db->failed)
        return false;
    db->failed = true;
    /* The log on disk is what the next start recovers from: leave it as it is. */
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return true;
}

static void fail(struct db *db, int code)
{
    if (!distrust(db))
        return;
    int error = sqlite3_system_errno(db->sqlite);
    log_error("the database failed: %s (%d)%s%s", sqlite3_errstr(code), code,
              error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
}

/*
 * SQLite undoes on a full disk the statement or the whole transaction, as it happens. We always
 * undo all of the turn, so that what a statement did before is never committed without what follows
 * it.
 */
static int lose_turn(struct db *db)
{
    if (!sqlite3_get_autocommit(db->sqlite)) {
        int code = sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
        if (code != SQLITE_OK) {
            fail(db, code);
            return -EIO;
        }
    }
    db->begun = false;
    db->newest = db->dated = db->last;
    db->lost = db->undone = true;
    return DB_FULL;
}

int sql_outcome(struct db *db, int code)
{
    switch (code) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
        return DB_EXISTS;
    }
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
        return -EINVAL;
    case SQLITE_FULL:
        return lose_turn(db);
    }
    fail(db, code);
    return -EIO;
}

static struct sql_cached *find(struct db *db, const char *text)
{
    for (unsigned i = 0; i < db->cached; i++)
        if (db->cache[i].text == text)
            return &db->cache[i];
    return NULL;
}

static struct sql prepare(struct db *db, const char *text)
{
    struct sql query = {.db = db};
    struct sql_cached *known = find(db, text);
    if (known != NULL && !known->taken) {
        query.statement = known->statement;
        query.cached = known;
        known->taken = true;
        return query;
    }
    bool keep = known == NULL && db->cached < SQL_CACHE_SIZE;
    query.result = sql_outcome(db, sqlite3_prepare_v3(db->sqlite, text, -1,
                                                      keep ? SQLITE_PREPARE_PERSISTENT : 0,
                                                      &query.statement, NULL));
    if (query.result == 0 && keep) {
        query.cached = &db->cache[db->cached++];
        *query.cached = (struct sql_cached){text, query.statement, true};
    }
    return query;
}

struct sql sql_read(struct db *db, const char *text)
{
    if (db->failed)
        return (struct sql){.db = db, .result = -EIO};
    return prepare(db, text);
}

static int begin(struct db *db)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, "BEGIN IMMEDIATE");
    if (sql_run(&query) == 0)
        db->begun = true;
    return query.result;
}

int sql_begin(struct db *db)
{
    if (db->lost)
        return DB_FULL;
    return db->begun ? 0 : begin(db);
}

struct sql sql_write(struct db *db, const char *text)
{
    struct sql query = {.db = db, .result = sql_begin(db)};
    if (query.result == 0)
        query = sql_read(db, text);
    return query;
}

void sql_end(struct sql *query)
{
    if (query->cached == NULL) {
        sqlite3_finalize(query->statement);
    } else {
        sqlite3_reset(query->statement);
        sqlite3_clear_bindings(query->statement);
        query->cached->taken = false;
    }
    query->statement = NULL;
    query->cached = NULL;
}

static void bound(struct sql *query, int code)
{
    if (code != SQLITE_OK)
        query->result = sql_outcome(query->db, code);
}

void sql_bind_int(struct sql *query, int64_t value)
{
    if (query->result == 0)
        bound(query, sqlite3_bind_int64(query->statement, ++query->parameters, value));
}

void sql_bind_null(struct sql *query)
{
    query->parameters++; /* it is NULL already */
}

void sql_bind_text(struct sql *query, const char *text)
{
    if (query->result == 0)
        bound(query,
              sqlite3_bind_text(query->statement, ++query->parameters, text, -1, SQLITE_STATIC));
}

void sql_bind_blob(struct sql *query, const void *data, size_t size)
{
    if (query->result == 0)
        bound(query, sqlite3_bind_blob64(query->statement, ++query->parameters, data, size,
                                         SQLITE_STATIC));
}

void sql_bind_uuid(struct sql *query, const struct uuid *id)
{
    sql_bind_blob(query, uuid_is_zero(id) ? NULL : id->bytes, UUID_SIZE);
}

bool sql_row(struct sql *query)
{
    if (query->result != 0)
        return false;
    query->columns = 0;
    int code = sqlite3_step(query->statement);
    query->result = sql_outcome(query->db, code);
    return code == SQLITE_ROW;
}

int sql_run(struct sql *query)
{
    while (sql_row(query))
        ;
    return query->result;
}

bool sql_is_null(const struct sql *query)
{
    return sqlite3_column_type(query->statement, query->columns) == SQLITE_NULL;
}

int64_t sql_int(struct sql *query)
{
    return sqlite3_column_int64(query->statement, query->columns++);
}

int sql_damage(struct db *db, const char *what)
{
    if (distrust(db))
        log_error("the database is damaged: a row has an impossible %s", what);
    return -EIO;
}

/* The schema checks what is written, so this was not. */
static void find_damage(struct sql *query, int column)
{
    query->result = sql_damage(query->db, sqlite3_column_name(query->statement, column));
}

int sql_enum(struct sql *query, int last)
{
    int64_t value = sql_int(query);
    if (value >= 0 && value <= last)
        return (int)value;
    find_damage(query, query->columns - 1);
    return 0;
}

const char *sql_text(struct sql *query)
{
    return (const char *)sqlite3_column_text(query->statement, query->columns++);
}

struct span sql_blob(struct sql *query)
{
    int column = query->columns++;
    const void *data = sqlite3_column_blob(query->statement, column);
    return SPAN(data, (size_t)sqlite3_column_bytes(query->statement, column));
}

bool sql_copy(struct sql *query, void *to, size_t size)
{
    bool null = sql_is_null(query);
    struct span blob = sql_blob(query);
    if (blob.size == size) {
        memcpy(to, blob.data, size);
        return true;
    }
    memset(to, 0, size);
    if (!null)
        find_damage(query, query->columns - 1);
    return false;
}

void sql_copy_text(struct sql *query, char *to, size_t size)
{
    const char *text = sql_text(query);
    snprintf(to, size, "%s", text != NULL ? text : "");
}
