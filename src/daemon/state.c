/* SPDX-License-Identifier: ISC */
/*
 * The state directory.
 */
#define LOG_COMPONENT "daemon"
#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/backup_parts.h"

/* --- what an earlier version kept elsewhere --------------------------------------------------- */

/*
 * In the order in which they move. The store comes last and its log before it: whenever this is
 * broken off, the store is still where the next attempt looks, and never without its log.
 */
static const char *const parts[] = {BACKUP_IDENTITY, BACKUP_STORE_KEY, BACKUP_STORE "-wal",
                                    BACKUP_STORE};

static bool exists(const char *directory, const char *name)
{
    CLEANUP(cleanup_free) char *path = path_join(directory, name);
    return path != NULL && access(path, F_OK) == 0;
}

/* One file, which need not exist, to where none may be. 0 or -errno. */
static int move(const char *from, const char *to, const char *name)
{
    CLEANUP(cleanup_free) char *source = path_join(from, name);
    CLEANUP(cleanup_free) char *target = path_join(to, name);
    if (source == NULL || target == NULL)
        return -ENOMEM;
    if (access(source, F_OK) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (renameat2(AT_FDCWD, source, AT_FDCWD, target, RENAME_NOREPLACE) < 0)
        return -errno;
    return directory_sync_of(target);
}

static bool is_same_directory(const char *one, const char *other)
{
    struct stat a, b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* 0, or -errno (logged). */
static int adopt(const char *from, const char *to)
{
    if (!exists(from, BACKUP_STORE) || is_same_directory(from, to))
        return 0;
    if (exists(to, BACKUP_STORE)) {
        log_warning("%s is not used: there is a store in %s, too; to use it instead: p2pchatd "
                    "--state-dir '%s'",
                    from, to, from);
        return 0;
    }
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int r = move(from, to, parts[i]);
        if (r < 0) {
            log_error("can't move %s from %s to %s: %s; move it, %s* and the keys by hand",
                      parts[i], from, to, strerror(-r), BACKUP_STORE);
            return r;
        }
    }
    log_notice("moved keys, peers and messages from %s to %s", from, to);
    return 0;
}

/* --- the directory ---------------------------------------------------------------------------- */

/* Whoever can write there can put another store or key in the place of ours. */
static bool is_private(const char *directory)
{
    struct stat status;
    if (stat(directory, &status) < 0) {
        log_error("%s: %s", directory, strerror(errno));
        return false;
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        log_error("others can write in %s; to make it private: chmod go-w '%s'", directory,
                  directory);
    else if (status.st_uid != geteuid() && status.st_uid != 0)
        log_error("%s belongs to another user; to make it ours: chown -R %u '%s'", directory,
                  (unsigned)geteuid(), directory);
    else
        return true;
    return false;
}

enum exit_status state_prepare(const struct paths *paths)
{
    int r = directory_make(paths->state_dir);
    if (r < 0) {
        log_error("can't make %s: %s", paths->state_dir, strerror(-r));
        return EXIT_STATUS_OS;
    }
    if (!is_private(paths->state_dir))
        return EXIT_STATUS_CONFIG;
    if (paths->former_state_dir != NULL && adopt(paths->former_state_dir, paths->state_dir) < 0)
        return EXIT_STATUS_OS;
    return EXIT_STATUS_OK;
}
