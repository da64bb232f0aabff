/* SPDX-License-Identifier: ISC */
/*
 * SQL for the modules of store/: cached statements, the turn's transaction, the rule for failures.
 * Private to store/ and its tests.
 *
 *     CLEANUP(sql_end) struct sql query = sql_read(db, "SELECT name FROM peer WHERE id = ?");
 *     sql_bind_int(&query, id);
 *     while (sql_row(&query))
 *         puts(sql_text(&query));
 *     return query.result;
 *
 * Parameters are bound and columns are read from left to right. After a failure nothing more
 * happens and `result` keeps it, so a caller checks once, at the end; one that hands rows on checks
 * after each row, for it may be damaged.
 */
#pragma once

#include <sqlite3.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/uuid.h"
#include "store/db_types.h"
#include "store/message_row.h"

/* Statements that stay prepared. Those beyond are prepared for each use. */
enum { SQL_CACHE_SIZE = 128 };

enum {
    DB_EPOCH_MAX = 33, /* with the NUL */
    DB_TAG_SIZE = 16,
};

/* What was added while the store was open, from its first seq on (lives.h). */
struct db_life {
    int64_t first_seq;
    uint8_t tag[DB_TAG_SIZE];
    int64_t shift_ms;
};

/* A place among the requests. */
struct db_request {
    int64_t uid;
    char client_id[CLIENT_ID_MAX];
};

/* A prepared statement, known by the address of its text. */
struct sql_cached {
    const char *text;
    sqlite3_stmt *statement;
    bool taken;
};

struct db {
    sqlite3 *sqlite;
    struct sql_cached cache[SQL_CACHE_SIZE];
    unsigned cached;
    bool failed;     /* an I/O error or worse: for good */
    bool begun;      /* a transaction is open */
    bool lost;       /* the disk was full in this turn: undone, and db_commit() has yet to say so */
    int wal_frames;  /* in the write-ahead log after the last commit */
    bool scrub;      /* what was purged is to be gone from the disk with the commit */
    bool undone;     /* memory is ahead of the store: marks_load() is due */
    int64_t newest;  /* seq of the newest event, of the open transaction's too */
    int64_t last;    /* seq of the newest committed event */
    int64_t dated;   /* and of the newest that has the time of an earlier turn */
    int64_t settled; /* what can be told from the log is written up to here */
    struct marks *marks;   /* where delivery stands (marks.h) */
    struct db_life *lives; /* oldest first */
    unsigned life_count;
    unsigned noted_count;         /* rows of noted.h */
    uint8_t tag[DB_TAG_SIZE];     /* of the life that begins with the next row … */
    bool alive;                   /* … or has begun */
    bool minute_known;            /* the minute in which … */
    uint64_t minute_ms;           /* … the newest row was added, by the wall clock */
    struct uuid newest_tombstone; /* no id of a removed message is greater */
    struct db_request looked_at;  /* requests_forget() came so far */
    int64_t swept;                /* retention looked at the rows up to here */
    char epoch[DB_EPOCH_MAX];
    uint8_t instance[DB_INSTANCE_SIZE];
};

/* One use of a statement. */
struct sql {
    struct db *db;
    sqlite3_stmt *statement;   /* NULL after a failure to get one */
    struct sql_cached *cached; /* where it goes back to; NULL: it ends with its use */
    int parameters;            /* bound so far */
    int columns;               /* read so far, of this row */
    int result;                /* 0, an enum db_outcome or -errno */
};

/*
 * Takes the statement of a text with static storage. The same text may be in use already (a visitor
 * that calls back): then there are two statements. The second form joins or begins the turn's
 * transaction.
 */
struct sql sql_read(struct db *db, const char *text);
struct sql sql_write(struct db *db, const char *text);

/* Joins or begins the turn's transaction without writing yet. 0, DB_FULL or -EIO. */
int sql_begin(struct db *db);

/* Gives it back. Pointers from sql_text() and sql_blob() end here. */
void sql_end(struct sql *query);

/* Bind the next parameter. Data is borrowed until sql_end(); a NULL pointer is SQL's NULL. */
void sql_bind_int(struct sql *query, int64_t value);
void sql_bind_null(struct sql *query);
void sql_bind_uuid(struct sql *query, const struct uuid *id); /* one of zeros is NULL */
void sql_bind_text(struct sql *query, const char *text);
void sql_bind_blob(struct sql *query, const void *data, size_t size);

/* Goes to the next row: true if there is one; else it is the end, or `result` is not 0. */
bool sql_row(struct sql *query);

/* Goes to the end and returns `result`. With DB_EXISTS the statement did nothing. */
int sql_run(struct sql *query);

/* Whether the next column is NULL; it is still to be read. */
bool sql_is_null(const struct sql *query);

/* Read the next column; NULL reads as 0, NULL and empty. Pointers live until the next row. */
int64_t sql_int(struct sql *query);
const char *sql_text(struct sql *query);
struct span sql_blob(struct sql *query);

/* What was read can't have been written by us: -EIO, and the database failed for good. */
int sql_damage(struct db *db, const char *what);

/*
 * Reads a number of an enum that goes from 0 to `last`. Any other is damage: it gives 0, and the
 * database failed for good.
 */
int sql_enum(struct sql *query, int last);

/* Reads a blob of exactly this size: true; NULL gives zeros and false, and so does damage. */
bool sql_copy(struct sql *query, void *to, size_t size);

/* Reads text into a buffer, cut to fit, always terminated. */
void sql_copy_text(struct sql *query, char *to, size_t size);

/*
 * What an SQLite result code means: 0, DB_EXISTS, DB_FULL (the turn is undone), -EINVAL (a value
 * the schema refuses; the statement did nothing), or -EIO with the database failed for good.
 */
int sql_outcome(struct db *db, int code);
