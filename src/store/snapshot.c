/* SPDX-License-Identifier: ISC */
/*
 * Copies of the store, by SQLite's backup interface.
 */
#define LOG_COMPONENT "store"
#include "store/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "store/sql.h"

struct snapshot {
    sqlite3 *copy;
    sqlite3_backup *backup; /* NULL once it is complete */
    char *path;
};

DEFINE_CLEANUP(struct snapshot *, snapshot_cleanup, snapshot_free)

static int copy_outcome(const struct snapshot *snapshot, int code)
{
    int error = sqlite3_system_errno(snapshot->copy);
    log_warning("no copy of the store: %s", sqlite3_errstr(code));
    switch (code & 0xff) {
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_NOMEM:
        return -ENOMEM;
    default:
        return error != 0 ? -error : -EIO;
    }
}

static int open_copy(struct snapshot *snapshot)
{
    static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF;"
                                   "PRAGMA synchronous = OFF;";
    if (unlink(snapshot->path) < 0 && errno != ENOENT)
        return -errno;
    int fd = open(snapshot->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    close(fd);
    int code =
        sqlite3_open_v2(snapshot->path, &snapshot->copy,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(snapshot->copy, settings, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : copy_outcome(snapshot, code);
}

int snapshot_start(struct snapshot **result, struct db *db, const char *path)
{
    CLEANUP(snapshot_cleanup) struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot == NULL || (snapshot->path = strdup(path)) == NULL)
        return -ENOMEM;
    int r = open_copy(snapshot);
    if (r < 0)
        return r;
    snapshot->backup = sqlite3_backup_init(snapshot->copy, "main", db->sqlite, "main");
    if (snapshot->backup == NULL)
        return copy_outcome(snapshot, sqlite3_extended_errcode(snapshot->copy));
    *result = STEAL(snapshot);
    return 0;
}

static int finish(struct snapshot *snapshot)
{
    int code = sqlite3_backup_finish(STEAL(snapshot->backup));
    if (code == SQLITE_OK)
        code = sqlite3_close(STEAL(snapshot->copy));
    return code == SQLITE_OK ? 0 : copy_outcome(snapshot, code);
}

int snapshot_step(struct snapshot *snapshot, unsigned pages, unsigned *left)
{
    *left = 0;
    if (snapshot->backup == NULL)
        return 0;
    int code = sqlite3_backup_step(snapshot->backup, (int)pages);
    if (code == SQLITE_DONE)
        return finish(snapshot);
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY && (code & 0xff) != SQLITE_LOCKED)
        return copy_outcome(snapshot, code);
    *left = (unsigned)sqlite3_backup_remaining(snapshot->backup);
    if (*left == 0)
        *left = 1; /* nothing was copied yet */
    return 0;
}

const char *snapshot_path(const struct snapshot *snapshot)
{
    return snapshot->path;
}

void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    sqlite3_backup_finish(snapshot->backup);
    sqlite3_close(snapshot->copy);
    if (snapshot->path != NULL)
        unlink(snapshot->path);
    free(snapshot->path);
    free(snapshot);
}
