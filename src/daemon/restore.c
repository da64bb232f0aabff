/* SPDX-License-Identifier: ISC */
/*
 * Restoring a backup: all of it is on disk under other names before anything counts.
 */
#define LOG_COMPONENT "backup"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/identity.h"
#include "daemon/backup.h"
#include "daemon/backup_file.h"
#include "daemon/backup_parts.h"
#include "daemon/passphrase.h"
#include "rpc/rpc_message.h"
#include "store/db.h"

enum { MANIFEST_SIZE_MAX = 64 * 1024 };

/* The parts after the manifest, and how large they may be. */
static const struct part {
    const char *name;
    const char *temporary;
    uint64_t limit;
} parts[] = {
    {BACKUP_IDENTITY, BACKUP_IDENTITY ".part", IDENTITY_PEM_MAX},
    {BACKUP_STORE_KEY, BACKUP_STORE_KEY ".part", SECRET_SIZE},
    {BACKUP_STORE, BACKUP_STORE ".part", INT64_MAX},
};

enum { PART_COUNT = sizeof parts / sizeof parts[0] };

/* --- the state directory ---------------------------------------------------------------------- */

static int check_empty(const char *directory)
{
    DIR *stream = opendir(directory);
    if (stream == NULL)
        return -errno;
    const struct dirent *entry;
    int r = 0;
    while (r == 0 && (entry = readdir(stream)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            r = -ENOTEMPTY;
    closedir(stream);
    return r;
}

static int prepare_directory(const char *directory)
{
    int r = directory_make(directory);
    if (r == 0)
        r = check_empty(directory);
    if (r == -ENOTEMPTY)
        log_error("%s is not empty, and a backup does not replace anything; stop p2pchatd, and: "
                  "mv '%s' '%s.old'",
                  directory, directory, directory);
    else if (r < 0)
        log_error("%s: %s", directory, strerror(-r));
    return r;
}

static void remove_parts(int directory)
{
    for (size_t i = 0; i < PART_COUNT; i++)
        unlinkat(directory, parts[i].temporary, 0);
}

/* The secrets count before the store, which is of no use without them. */
static int place_parts(int directory)
{
    for (size_t i = 0; i < PART_COUNT; i++)
        if (renameat(directory, parts[i].temporary, directory, parts[i].name) < 0)
            return -errno;
    return fsync(directory) < 0 ? -errno : 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The head of a part that must be this one. 0, BACKUP_ALIEN, BACKUP_FORGED or -errno. */
static int read_head(struct backup_file *file, const char *name, uint64_t limit, uint64_t *size)
{
    uint8_t number[8];
    char found[32];
    const size_t length = strlen(name);
    int r = backup_file_read(file, number, 2);
    if (r == 0 && get_u16(number) != length)
        return BACKUP_ALIEN;
    if (r == 0)
        r = backup_file_read(file, found, length);
    if (r == 0 && memcmp(found, name, length) != 0)
        return BACKUP_ALIEN;
    if (r == 0)
        r = backup_file_read(file, number, 8);
    *size = get_u64(number);
    return r == 0 && *size > limit ? BACKUP_ALIEN : r;
}

static int write_whole(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, data, size);
        if (count < 0)
            return -errno;
        data += count;
        size -= (size_t)count;
    }
    return 0;
}

static int read_part(struct backup_file *file, int directory, const struct part *part)
{
    uint64_t size = 0;
    uint8_t data[16384];
    int r = read_head(file, part->name, part->limit, &size);
    if (r != 0)
        return r;
    CLEANUP(backup_close)
    int fd = openat(directory, part->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    while (r == 0 && size > 0) {
        const size_t count = size < sizeof data ? (size_t)size : sizeof data;
        r = backup_file_read(file, data, count);
        if (r == 0)
            r = write_whole(fd, data, count);
        size -= count;
    }
    secret_wipe(data, sizeof data);
    return r == 0 && fsync(fd) < 0 ? -errno : r;
}

static int read_manifest(struct backup_file *file, json_t **manifest)
{
    uint64_t size = 0;
    int r = read_head(file, BACKUP_MANIFEST, MANIFEST_SIZE_MAX, &size);
    CLEANUP(cleanup_free) uint8_t *text = r == 0 ? malloc((size_t)size + 1) : NULL;
    if (r == 0 && text == NULL)
        r = -ENOMEM;
    if (r == 0)
        r = backup_file_read(file, text, (size_t)size);
    if (r == 0 && (*manifest = rpc_read(SPAN(text, (size_t)size))) == NULL)
        r = BACKUP_ALIEN;
    return r;
}

/* That it opens is also what makes it another store than the one it was copied from. */
static int check_store(const char *state_dir)
{
    CLEANUP(cleanup_free) char *path = path_join(state_dir, BACKUP_STORE ".part");
    struct db *db = NULL;
    int r = path != NULL ? db_open(&db, path) : -ENOMEM;
    db_close(db);
    return r;
}

static int restore(struct backup_file *file, const char *state_dir, json_t **manifest)
{
    CLEANUP(backup_close) int directory = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -errno;
    int r = read_manifest(file, manifest);
    for (size_t i = 0; r == 0 && i < PART_COUNT; i++)
        r = read_part(file, directory, &parts[i]);
    if (r == 0)
        r = backup_file_end(file);
    if (r == 0)
        r = check_store(state_dir);
    if (r == 0)
        r = place_parts(directory);
    if (r != 0)
        remove_parts(directory);
    return r;
}

/* --- all of it -------------------------------------------------------------------------------- */

static const char *explain(int r)
{
    switch (r) {
    case BACKUP_ALIEN:
        return "it is no backup of p2pchatd, or one of a newer version";
    case BACKUP_FORGED:
        return "the passphrase is wrong, or the file is damaged";
    case DB_TOO_NEW:
        return "it was made by a newer version of p2pchatd; install that one";
    case DB_DAMAGED:
        return "the store in it is damaged";
    default:
        return strerror(r < 0 ? -r : EIO);
    }
}

static int open_and_restore(int fd, const char *passphrase, const char *state_dir,
                            json_t **manifest)
{
    struct backup_file file;
    int r = backup_file_open(&file, fd, passphrase);
    if (r == 0)
        r = restore(&file, state_dir, manifest);
    backup_file_deinit(&file);
    return r;
}

enum exit_status backup_restore(const struct options *options, const struct paths *paths)
{
    struct bytes passphrase = {0};
    json_t *manifest = NULL;
    CLEANUP(backup_close) int fd = open(options->file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        log_error("%s: %s", options->file, strerror(errno));
        return EXIT_STATUS_OS;
    }
    if (prepare_directory(paths->state_dir) < 0)
        return EXIT_STATUS_OS;
    if (passphrase_read(options->passphrase_file, false, &passphrase) < 0)
        return EXIT_STATUS_USAGE;
    int r = backup_become_owner(paths->state_dir);
    if (r == 0) {
        r = open_and_restore(fd, (const char *)passphrase.data, paths->state_dir, &manifest);
        if (r != 0)
            log_error("%s: %s", options->file, explain(r));
    }
    backup_become_oneself();
    bytes_deinit(&passphrase);
    if (r == 0) {
        const json_t *time = json_object_get(manifest, "time");
        printf("restored the state of %s in %s\n", json_string_value(time), paths->state_dir);
        puts("The machine that it comes from must not run again: to peers the two are one.");
    }
    json_decref(manifest);
    return r == 0 ? EXIT_STATUS_OK : EXIT_STATUS_IO;
}
