/* SPDX-License-Identifier: ISC */
/*
 * Making a backup. Restoring one is in restore.c.
 */
#define LOG_COMPONENT "backup"
#include "daemon/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/timestamp.h"
#include "daemon/backup_file.h"
#include "daemon/backup_parts.h"
#include "daemon/passphrase.h"
#include "daemon/snapshot_client.h"
#include "rpc/rpc_message.h"
#include "store/events.h"
#include "store/snapshot.h"

/* The copy of the store that goes into the file, and what has to stay while it is read. */
struct source {
    int connection; /* to the daemon that made it, or -1 */
    struct db *db;  /* or our own */
    struct snapshot *snapshot;
    json_t *said; /* file, epoch, last_seq, fingerprint? */
};

static void source_deinit(struct source *source)
{
    if (source->connection >= 0)
        close(source->connection);
    snapshot_free(source->snapshot);
    db_close(source->db);
    json_decref(source->said);
}

/* --- the store -------------------------------------------------------------------------------- */

static int complain_of_store(const char *path, int r)
{
    log_error("%s: %s", path,
              r == -ENOENT      ? "there is no store"
              : r == -EBUSY     ? "a daemon uses it that does not answer here; name its control "
                                  "socket: --control PATH"
              : r == DB_TOO_NEW ? "it was made by a newer version of p2pchatd"
              : r == DB_DAMAGED ? "it is damaged"
                                : strerror(-r));
    return r < 0 ? r : -EIO;
}

/* No daemon runs: copies the store from here. */
static int copy_store(struct source *source, const struct paths *paths)
{
    CLEANUP(cleanup_free) char *copy = path_join(paths->state_dir, BACKUP_COPY);
    const char *path = paths->store;
    unsigned left = 1;
    if (copy == NULL)
        return -ENOMEM;
    int r = access(path, F_OK) < 0 ? -errno : db_open(&source->db, path);
    if (r == 0)
        r = snapshot_start(&source->snapshot, source->db, copy);
    while (r == 0 && left > 0)
        r = snapshot_step(source->snapshot, 1000, &left);
    if (r != 0)
        return complain_of_store(path, r);
    source->said = json_pack("{s:s, s:s, s:I}", "file", copy, "epoch", db_epoch(source->db),
                             "last_seq", (json_int_t)events_last(source->db));
    return source->said != NULL ? 0 : -ENOMEM;
}

static int find_source(struct source *source, const struct paths *paths)
{
    *source = (struct source){.connection = -1};
    int r = snapshot_client_ask(paths->control, &source->connection, &source->said);
    return r == -ENOENT || r == -ECONNREFUSED ? copy_store(source, paths) : r;
}

/* --- the file --------------------------------------------------------------------------------- */

static int write_head(struct backup_file *file, const char *name, uint64_t size)
{
    struct bytes head = {0};
    int r = bytes_append_u16(&head, (uint16_t)strlen(name));
    if (r == 0)
        r = bytes_append(&head, name, strlen(name));
    if (r == 0)
        r = bytes_append_u64(&head, size);
    if (r == 0)
        r = backup_file_write(file, bytes_span(&head));
    bytes_deinit(&head);
    return r;
}

static int write_part(struct backup_file *file, const char *name, struct span content)
{
    int r = write_head(file, name, content.size);
    return r == 0 ? backup_file_write(file, content) : r;
}

static int write_copy(struct backup_file *file, const char *path)
{
    CLEANUP(backup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat status;
    uint8_t data[16384];
    if (fd < 0 || fstat(fd, &status) < 0)
        return -errno;
    int r = write_head(file, BACKUP_STORE, (uint64_t)status.st_size);
    for (off_t left = status.st_size; r == 0 && left > 0;) {
        ssize_t count = read(fd, data, left < (off_t)sizeof data ? (size_t)left : sizeof data);
        if (count <= 0)
            return count < 0 ? -errno : -EIO;
        r = backup_file_write(file, SPAN(data, (size_t)count));
        left -= count;
    }
    return r;
}

static int write_manifest(struct backup_file *file, const json_t *said)
{
    char time[TIMESTAMP_TEXT_MAX];
    struct bytes text = {0};
    timestamp_format(clock_wall_ms(), time);
    json_t *manifest =
        json_pack("{s:s, s:s, s:s*, s:O*, s:O*}", "version", VERSION, "time", time, "fingerprint",
                  json_string_value(json_object_get(said, "fingerprint")), "epoch",
                  json_object_get(said, "epoch"), "last_seq", json_object_get(said, "last_seq"));
    int r = manifest != NULL ? rpc_dump(&text, manifest, JSON_COMPACT, '\n') : -ENOMEM;
    if (r == 0)
        r = write_part(file, BACKUP_MANIFEST, bytes_span(&text));
    json_decref(manifest);
    bytes_deinit(&text);
    return r;
}

/* Everything from the head to the end, on disk. */
static int write_all(int fd, const char *passphrase, const struct source *source,
                     const struct bytes *identity, const struct bytes *store_key)
{
    struct backup_file file;
    int r = backup_file_create(&file, fd, passphrase);
    if (r == 0)
        r = write_manifest(&file, source->said);
    if (r == 0)
        r = write_part(&file, BACKUP_IDENTITY, bytes_span(identity));
    if (r == 0)
        r = write_part(&file, BACKUP_STORE_KEY, bytes_span(store_key));
    if (r == 0)
        r = write_copy(&file, json_string_value(json_object_get(source->said, "file")));
    if (r == 0)
        r = backup_file_finish(&file);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    backup_file_deinit(&file);
    return r;
}

static int gather(int fd, const char *passphrase, const struct keys_source *keys,
                  const struct paths *paths)
{
    CLEANUP(source_deinit) struct source source;
    struct bytes identity = {0}, store_key = {0};
    int r = find_source(&source, paths);
    if (r == 0)
        r = keys_read(keys, &identity, &store_key);
    if (r == 0) {
        r = write_all(fd, passphrase, &source, &identity, &store_key);
        if (r < 0)
            log_error("the backup can't be written: %s", strerror(-r));
    }
    bytes_deinit(&identity);
    bytes_deinit(&store_key);
    return r;
}

enum exit_status backup_make(const struct options *options, const struct paths *paths,
                             const struct config *config)
{
    struct keys_source keys = config_keys(config, paths);
    struct bytes passphrase = {0};
    if (options->identity != NULL)
        keys.identity = options->identity;
    keys.store_key = options->store_key;
    if (passphrase_read(options->passphrase_file, true, &passphrase) < 0)
        return EXIT_STATUS_USAGE;
    CLEANUP(backup_close)
    int fd = open(options->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        log_error("%s: %s", options->file, strerror(errno));
        bytes_deinit(&passphrase);
        return EXIT_STATUS_OS;
    }
    int r = backup_become_owner(paths->state_dir);
    if (r == 0)
        r = gather(fd, (const char *)passphrase.data, &keys, paths);
    backup_become_oneself();
    bytes_deinit(&passphrase);
    if (r == 0)
        r = directory_sync_of(options->file);
    if (r == 0) {
        printf("%s is complete\n", options->file);
        return EXIT_STATUS_OK;
    }
    unlink(options->file);
    return EXIT_STATUS_IO;
}
