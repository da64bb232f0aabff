/* SPDX-License-Identifier: ISC */
/*
 * The database file: opening, migrating, committing. What SQLite's results mean is in sql.c.
 */
#define LOG_COMPONENT "store"
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "store/footprint.h"
#include "store/lives.h"
#include "store/log.h"
#include "store/marks.h"
#include "store/schema.h"
#include "store/settle.h"
#include "store/sql.h"

/* The write-ahead log is copied to the file from this length on. */
enum { CHECKPOINT_FRAMES = 1000 };

DEFINE_CLEANUP(struct db *, db_cleanup, db_close)

/*
 * Exclusive before WAL: then the index of the log is in our memory and not in a shared file.
 * Automatic checkpoints are off because SQLite does not report their errors.
 */
static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE;"
                               "PRAGMA busy_timeout = 0;"
                               "PRAGMA synchronous = FULL;"
                               "PRAGMA foreign_keys = ON;"
                               "PRAGMA trusted_schema = OFF;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA secure_delete = ON;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA wal_autocheckpoint = 0;"
                               "PRAGMA journal_mode = WAL;";

/* What an SQLite result code means while opening, where failures are not yet for good. */
static int open_outcome(const struct db *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return DB_DAMAGED;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_NOMEM:
        return -ENOMEM;
    }
    int error = sqlite3_system_errno(db->sqlite);
    return error != 0 ? -error : -EIO;
}

static int execute(const struct db *db, const char *script)
{
    return open_outcome(db, sqlite3_exec(db->sqlite, script, NULL, NULL, NULL));
}

/* Runs a query for one row of one column: its text, cut to fit. */
static int ask(const struct db *db, const char *query, char *answer, size_t size)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->sqlite, query, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    const unsigned char *text = code == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL;
    snprintf(answer, size, "%s", text != NULL ? (const char *)text : "");
    sqlite3_finalize(statement);
    return open_outcome(db, code);
}

static int ask_number(const struct db *db, const char *query, int64_t *number)
{
    char text[32];
    int r = ask(db, query, text, sizeof text);
    *number = strtoll(text, NULL, 10);
    return r;
}

/* SQLite would make the file with the mode of the umask. Its companions copy the file's mode. */
static int make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? 0 : -errno;
    close(fd);
    return 0;
}

/* Remembers how long the log is after each commit. */
static int on_commit(void *context, sqlite3 *sqlite, const char *name, int frames)
{
    struct db *db = context;
    (void)sqlite;
    (void)name;
    db->wal_frames = frames;
    return SQLITE_OK;
}

static int connect_file(struct db *db, const char *path)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int r = open_outcome(db, sqlite3_open_v2(path, &db->sqlite, flags, NULL));
    if (r == 0 && sqlite3_db_readonly(db->sqlite, "main") == 1)
        r = -EROFS;
    if (r != 0)
        return r;
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    r = execute(db, settings);
    sqlite3_wal_hook(db->sqlite, on_commit, db);
    return r;
}

/* Whether the file is ours and sound, and its schema's version; a file without a schema is new. */
static int examine(const struct db *db, int64_t *version)
{
    int64_t application = 0;
    int64_t objects = 0;
    int r = ask_number(db, "PRAGMA application_id", &application);
    if (r == 0)
        r = ask_number(db, "PRAGMA user_version", version);
    if (r == 0)
        r = ask_number(db, "SELECT count(*) FROM sqlite_schema", &objects);
    if (r != 0)
        return r;
    if (objects == 0 ? *version != 0 : application != SCHEMA_APPLICATION_ID || *version < 1)
        return DB_DAMAGED;
    if (*version > schema_version)
        return DB_TOO_NEW;

    char verdict[256];
    r = ask(db, "PRAGMA quick_check(1)", verdict, sizeof verdict);
    if (r == 0 && strcmp(verdict, "ok") != 0) {
        log_error("the database is damaged: %s", verdict);
        r = DB_DAMAGED;
    }
    return r;
}

/* Runs one migration and marks it as done, in one transaction. */
static int migrate(const struct db *db, int version)
{
    char mark[96];
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
             SCHEMA_APPLICATION_ID, version + 1);
    int r = execute(db, "BEGIN IMMEDIATE");
    if (r == 0)
        r = execute(db, schema_migrations[version]);
    if (r == 0)
        r = execute(db, mark);
    return r;
}

/* Which file this is: no copy of it has the same inode and time of birth. */
static int describe_file(const char *path, char *text, size_t size)
{
    struct statx file;
    if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &file) < 0)
        return -errno;
    bool has_birth = (file.stx_mask & STATX_BTIME) != 0;
    snprintf(text, size, "%llu:%lld.%09u", (unsigned long long)file.stx_ino,
             has_birth ? (long long)file.stx_btime.tv_sec : 0,
             has_birth ? file.stx_btime.tv_nsec : 0);
    return 0;
}

/*
 * A file that is not the one that was open last is another store, even if it was copied from it. An
 * invite of it may have been used since it was copied, and must not be good once more. The other
 * may have run what peers asked for: here it has nobody's claim, so that it does not run.
 */
static int renew_epoch(struct db *db, const char *path)
{
    char file[64], script[1024];
    int64_t forgotten = 0;
    int r = describe_file(path, file, sizeof file);
    if (r < 0)
        return r;
    snprintf(script, sizeof script,
             "BEGIN IMMEDIATE;"
             "DELETE FROM invite WHERE EXISTS (SELECT 1 FROM meta WHERE file NOT IN ('', '%s'));"
             "UPDATE extra SET call = 1, claim = NULL WHERE call IN (0, 1)"
             " AND EXISTS (SELECT 1 FROM meta WHERE file NOT IN ('', '%s'));"
             "UPDATE meta SET file = '%s', instance = randomblob(16),"
             " epoch = iif(file IN ('', '%s'), epoch, lower(hex(randomblob(16)))),"
             " restored_ms = iif(file IN ('', '%s'), restored_ms, %" PRIu64 ")"
             " WHERE file <> '%s' OR instance IS NULL;"
             "COMMIT",
             file, file, file, file, file, clock_wall_ms(), file);
    r = ask_number(db, "SELECT count(*) FROM invite", &forgotten);
    if (r == 0)
        r = execute(db, script);
    int64_t left = 0;
    if (r == 0)
        r = ask_number(db, "SELECT count(*) FROM invite", &left);
    if (r == 0 && left < forgotten)
        log_warning("this store was restored, or moved: the invites of it that nobody had used "
                    "(%" PRId64 ") are good no more; make new ones: p2pchatctl invite",
                    forgotten - left);
    return r;
}

static int load_instance(struct db *db)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, "SELECT instance FROM meta");
    if (sql_row(&query))
        sql_copy(&query, db->instance, sizeof db->instance);
    return query.result;
}

static int set_up(struct db *db, const char *path)
{
    int64_t version = 0;
    int r = examine(db, &version);
    if (r == 0)
        r = open_outcome(db, log_register(db->sqlite));
    if (r == 0)
        r = open_outcome(db, footprint_register(db->sqlite));
    while (r == 0 && version < schema_version)
        r = migrate(db, (int)version++);
    if (r == 0)
        r = renew_epoch(db, path);
    if (r == 0)
        r = ask(db, "SELECT epoch FROM meta", db->epoch, sizeof db->epoch);
    if (r == 0)
        r = load_instance(db);
    if (r == 0)
        r = lives_open(db);
    if (r == 0)
        r = marks_load(db);
    return r == -EIO ? DB_DAMAGED : r;
}

int db_open(struct db **result, const char *path)
{
    CLEANUP(db_cleanup) struct db *db = calloc(1, sizeof *db);
    if (db == NULL)
        return -ENOMEM;
    int r = make_file(path);
    if (r == 0)
        r = connect_file(db, path);
    if (r == 0)
        r = set_up(db, path);
    if (r == 0)
        r = directory_sync_of(path);
    if (r == 0)
        *result = STEAL(db);
    return r;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (unsigned i = 0; i < db->cached; i++)
        sqlite3_finalize(db->cache[i].statement);
    sqlite3_close(db->sqlite);
    marks_free(db);
    free(db->lives);
    free(db);
}

/*
 * Copies a long log to the file. That it can't (no space, somebody reads) does no harm, the log is
 * durable by itself; an error is one like any other.
 */
static int checkpoint(struct db *db, int mode)
{
    int code = sqlite3_wal_checkpoint_v2(db->sqlite, NULL, mode, NULL, NULL);
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
        return 0;
    }
    return sql_outcome(db, code);
}

int db_sealed(struct db *db, bool *sealed)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT EXISTS (SELECT 1 FROM log WHERE body IS NOT NULL)");
    *sealed = sql_row(&query) && sql_int(&query) != 0;
    return query.result;
}

static int store_check(struct db *db, const uint8_t tag[static DB_KEY_CHECK_SIZE])
{
    static const char *const sealed[] = {"DELETE FROM invite WHERE sealed IS NOT NULL",
                                         "UPDATE peer SET invite_sealed = NULL"};
    {
        CLEANUP(sql_end) struct sql query = sql_write(db, "UPDATE meta SET key_check = ?");
        sql_bind_blob(&query, tag, DB_KEY_CHECK_SIZE);
        if (sql_run(&query) != 0)
            return query.result;
    }
    /* Nothing of the key before was worth keeping it. */
    int r = 0;
    for (unsigned i = 0; r == 0 && i < 2; i++) {
        CLEANUP(sql_end) struct sql query = sql_write(db, sealed[i]);
        r = sql_run(&query);
    }
    return r;
}

static int compare_check(struct db *db, const uint8_t tag[static DB_KEY_CHECK_SIZE], bool *known,
                         bool *same)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, "SELECT key_check FROM meta");
    const struct span check = sql_row(&query) ? sql_blob(&query) : SPAN(NULL, 0);
    *known = check.size > 0;
    *same = check.size == DB_KEY_CHECK_SIZE && memcmp(check.data, tag, DB_KEY_CHECK_SIZE) == 0;
    return query.result;
}

int db_bind(struct db *db, const uint8_t tag[static DB_KEY_CHECK_SIZE], bool sure)
{
    bool sealed, known, same;
    int r = db_sealed(db, &sealed);
    if (r == 0)
        r = compare_check(db, tag, &known, &same);
    if (r != 0 || same)
        return r;
    if (sealed && known)
        return DB_EXISTS;
    return sealed && !sure ? DB_NOT_FOUND : store_check(db, tag);
}

int db_owner(struct db *db, bool *known, uint8_t owner[static DB_OWNER_SIZE])
{
    CLEANUP(sql_end) struct sql query = sql_read(db, "SELECT identity_check FROM meta");
    *known = sql_row(&query) && sql_copy(&query, owner, DB_OWNER_SIZE);
    return query.result;
}

int db_set_owner(struct db *db, const uint8_t *owner)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, "UPDATE meta SET identity_check = ?");
    sql_bind_blob(&query, owner, owner != NULL ? DB_OWNER_SIZE : 0);
    return sql_run(&query);
}

int db_peopled(struct db *db, bool *peopled)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT EXISTS (SELECT 1 FROM peer WHERE removed_ms IS NULL)"
                                    " OR EXISTS (SELECT 1 FROM invite)");
    *peopled = sql_row(&query) && sql_int(&query) != 0;
    return query.result;
}

int db_commit(struct db *db)
{
    if (db->failed)
        return -EIO;
    if (db->begun) {
        int r = settle_commit(db);
        if (r < 0)
            return r;
    }
    if (db->begun) {
        CLEANUP(sql_end) struct sql query = sql_read(db, "COMMIT");
        if (sql_run(&query) < 0)
            return query.result;
    }
    if (db->lost) {
        db->lost = false;
        return DB_FULL;
    }
    if (!db->begun)
        return 0;
    db->begun = false;
    db->last = db->dated = db->newest;
    if (db->scrub) {
        db->scrub = false;
        return checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
    }
    return db->wal_frames >= CHECKPOINT_FRAMES ? checkpoint(db, SQLITE_CHECKPOINT_PASSIVE) : 0;
}

bool db_dirty(const struct db *db)
{
    return db->begun || db->lost;
}

int db_restored(struct db *db, uint64_t *time_ms)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, "SELECT ifnull(restored_ms, 0) FROM meta");
    *time_ms = sql_row(&query) ? (uint64_t)sql_int(&query) : 0;
    return query.result;
}

const char *db_epoch(const struct db *db)
{
    return db->epoch;
}

const uint8_t *db_instance(const struct db *db)
{
    return db->instance;
}

uint64_t db_size(struct db *db)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    return sql_row(&query) ? (uint64_t)sql_int(&query) : 0;
}

int64_t db_spare(struct db *db)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT freelist_count * page_size, page_count * page_size"
                     " FROM pragma_freelist_count, pragma_page_count, pragma_page_size");
    struct stat file;
    if (!sql_row(&query) || stat(sqlite3_db_filename(db->sqlite, "main"), &file) < 0)
        return 0;
    const int64_t unused = sql_int(&query), size = sql_int(&query);
    return unused - (size > file.st_size ? size - file.st_size : 0);
}
