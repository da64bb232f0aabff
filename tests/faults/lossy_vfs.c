/* SPDX-License-Identifier: ISC */
/*
 * A disk that forgets. Files have two contents: the present one, and the one that was synced last;
 * between them lie the writes that may be lost.
 */
#include "faults/lossy_vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"

enum { SECTOR = 512, NAME_MAX_SIZE = 256, WRITES_MAX = 8192 };

/* A write, or with no data a truncation to `at`. */
struct pending {
    size_t at;
    struct bytes data;
};

struct lossy_data {
    char name[NAME_MAX_SIZE];
    bool present; /* it exists now … */
    bool durable; /* … and after a power loss */
    struct bytes now;
    struct bytes synced;
    struct pending writes[WRITES_MAX];
    unsigned write_count;
};

struct lossy_disk {
    struct lossy_data *files[LOSSY_FILES_MAX];
    void (*on_sync)(void *context);
    void *context;
};

/* What SQLite holds of an open file. */
struct lossy_file {
    sqlite3_file base;
    struct lossy_disk *disk;
    struct lossy_data *data;
};

static struct lossy_disk *mounted;

/* --- contents --------------------------------------------------------------------------------- */

static void resize(struct bytes *content, size_t size)
{
    if (size > content->size)
        bytes_append_zeros(content, size - content->size);
    content->size = size;
}

static void put(struct bytes *content, size_t at, const uint8_t *data, size_t size)
{
    if (content->size < at + size)
        resize(content, at + size);
    memcpy(content->data + at, data, size);
}

static void apply(struct bytes *content, const struct pending *write)
{
    if (write->data.size == 0)
        resize(content, write->at);
    else
        put(content, write->at, write->data.data, write->data.size);
}

static void forget_writes(struct lossy_data *data)
{
    for (unsigned i = 0; i < data->write_count; i++)
        bytes_deinit(&data->writes[i].data);
    data->write_count = 0;
}

static void note_write(struct lossy_data *data, size_t at, const void *bytes, size_t size)
{
    if (data->write_count == WRITES_MAX)
        abort(); /* the test is to sync more often */
    struct pending *write = &data->writes[data->write_count++];
    *write = (struct pending){.at = at};
    bytes_append(&write->data, bytes, size);
}

static struct lossy_data *find(struct lossy_disk *disk, const char *name, bool make)
{
    for (unsigned i = 0; i < LOSSY_FILES_MAX; i++) {
        if (disk->files[i] == NULL && !make)
            return NULL;
        if (disk->files[i] == NULL) {
            disk->files[i] = calloc(1, sizeof *disk->files[i]);
            sqlite3_snprintf(NAME_MAX_SIZE, disk->files[i]->name, "%s", name);
        }
        if (strcmp(disk->files[i]->name, name) == 0)
            return disk->files[i];
    }
    abort();
}

/* --- the methods of a file -------------------------------------------------------------------- */

static int open_close(sqlite3_file *base)
{
    (void)base;
    return SQLITE_OK;
}

static int open_read(sqlite3_file *base, void *to, int amount, sqlite3_int64 at)
{
    const struct bytes *now = &((struct lossy_file *)base)->data->now;
    size_t wanted = (size_t)amount, from = (size_t)at;
    size_t there = from < now->size ? now->size - from : 0;
    if (there > wanted)
        there = wanted;
    if (there > 0)
        memcpy(to, now->data + from, there);
    memset((uint8_t *)to + there, 0, wanted - there);
    return there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int open_write(sqlite3_file *base, const void *from, int amount, sqlite3_int64 at)
{
    struct lossy_data *data = ((struct lossy_file *)base)->data;
    note_write(data, (size_t)at, from, (size_t)amount);
    put(&data->now, (size_t)at, from, (size_t)amount);
    return SQLITE_OK;
}

static int open_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct lossy_data *data = ((struct lossy_file *)base)->data;
    note_write(data, (size_t)size, NULL, 0);
    resize(&data->now, (size_t)size);
    return SQLITE_OK;
}

static int open_sync(sqlite3_file *base, int flags)
{
    struct lossy_file *file = (struct lossy_file *)base;
    (void)flags;
    if (file->disk->on_sync != NULL)
        file->disk->on_sync(file->disk->context);
    bytes_clear(&file->data->synced);
    bytes_append(&file->data->synced, file->data->now.data, file->data->now.size);
    file->data->durable = true;
    forget_writes(file->data);
    return SQLITE_OK;
}

static int open_size(sqlite3_file *base, sqlite3_int64 *size)
{
    *size = (sqlite3_int64)((struct lossy_file *)base)->data->now.size;
    return SQLITE_OK;
}

static int open_lock(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int open_check_lock(sqlite3_file *base, int *taken)
{
    (void)base;
    *taken = 0;
    return SQLITE_OK;
}

static int open_control(sqlite3_file *base, int operation, void *argument)
{
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int open_sector_size(sqlite3_file *base)
{
    (void)base;
    return SECTOR;
}

static int open_characteristics(sqlite3_file *base)
{
    (void)base;
    return 0;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = open_close,
    .xRead = open_read,
    .xWrite = open_write,
    .xTruncate = open_truncate,
    .xSync = open_sync,
    .xFileSize = open_size,
    .xLock = open_lock,
    .xUnlock = open_lock,
    .xCheckReservedLock = open_check_lock,
    .xFileControl = open_control,
    .xSectorSize = open_sector_size,
    .xDeviceCharacteristics = open_characteristics,
};

/* --- the methods of the VFS; what has to do with no file is the real one's -------------------- */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out)
{
    struct lossy_file *file = (struct lossy_file *)base;
    (void)vfs;
    *file = (struct lossy_file){.disk = mounted};
    file->data = find(mounted, name != NULL ? name : "temporary", true);
    file->data->present = true;
    file->base.pMethods = &methods;
    if (out != NULL)
        *out = flags;
    return SQLITE_OK;
}

static void sync_removal(struct lossy_data *data)
{
    data->durable = false;
    bytes_clear(&data->synced);
    forget_writes(data);
}

int directory_sync_of(const char *path)
{
    (void)path;
    for (unsigned i = 0; i < LOSSY_FILES_MAX && mounted->files[i] != NULL; i++)
        if (!mounted->files[i]->present)
            sync_removal(mounted->files[i]);
    return 0;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
    struct lossy_data *data = find(mounted, name, false);
    (void)vfs;
    if (data == NULL || !data->present)
        return SQLITE_IOERR_DELETE_NOENT;
    data->present = false;
    note_write(data, 0, NULL, 0);
    resize(&data->now, 0);
    if (sync_directory != 0)
        sync_removal(data);
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *answer)
{
    const struct lossy_data *data = find(mounted, name, false);
    (void)vfs;
    *answer =
        data != NULL && data->present && (flags != SQLITE_ACCESS_EXISTS || data->now.size > 0);
    return SQLITE_OK;
}

static int vfs_path(sqlite3_vfs *vfs, const char *name, int size, char *path)
{
    (void)vfs;
    sqlite3_snprintf(size, path, "%s", name);
    return SQLITE_OK;
}

int lossy_register(void)
{
    static sqlite3_vfs vfs;
    vfs = *sqlite3_vfs_find(NULL);
    vfs.pNext = NULL;
    vfs.zName = "lossy";
    vfs.szOsFile = (int)sizeof(struct lossy_file);
    vfs.mxPathname = NAME_MAX_SIZE;
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    vfs.xAccess = vfs_access;
    vfs.xFullPathname = vfs_path;
    return sqlite3_vfs_register(&vfs, 1);
}

/* --- disks ------------------------------------------------------------------------------------ */

int lossy_disk_new(struct lossy_disk **disk)
{
    *disk = calloc(1, sizeof **disk);
    return *disk != NULL ? 0 : -ENOMEM;
}

void lossy_disk_free(struct lossy_disk *disk)
{
    for (unsigned i = 0; i < LOSSY_FILES_MAX && disk->files[i] != NULL; i++) {
        forget_writes(disk->files[i]);
        bytes_deinit(&disk->files[i]->now);
        bytes_deinit(&disk->files[i]->synced);
        free(disk->files[i]);
    }
    free(disk);
}

void lossy_mount(struct lossy_disk *disk)
{
    mounted = disk;
}

void lossy_on_sync(struct lossy_disk *disk, void (*callback)(void *context), void *context)
{
    disk->on_sync = callback;
    disk->context = context;
}

/* xorshift: quick, and the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Only some sectors of a write made it. */
static void tear(struct bytes *content, const struct pending *write, uint64_t *random)
{
    for (size_t from = 0; from < write->data.size; from += SECTOR) {
        size_t size = write->data.size - from < SECTOR ? write->data.size - from : SECTOR;
        if (next_random(random) % 2 == 0)
            put(content, write->at + from, write->data.data + from, size);
    }
}

/* Each way to lose writes gets its share of the seeds. */
enum loss { LOSE_ALL, LOSE_NONE, LOSE_TAIL, LOSE_SOME, LOSE_SOME_REORDERED, LOSE_SECTORS, LOSSES };

static void lose(struct lossy_data *found, const struct lossy_data *data, enum loss loss,
                 uint64_t *random)
{
    unsigned count = data->write_count;
    unsigned keep = count > 0 ? (unsigned)(next_random(random) % (count + 1)) : 0;
    for (unsigned i = 0; i < count; i++) {
        const struct pending *write =
            &data->writes[loss == LOSE_SOME_REORDERED ? count - 1 - i : i];
        bool kept =
            loss == LOSE_NONE || (loss == LOSE_TAIL && i < keep) ||
            ((loss == LOSE_SOME || loss == LOSE_SOME_REORDERED) && next_random(random) % 2 == 0);
        if (kept)
            apply(&found->now, write);
        else if (loss == LOSE_SECTORS)
            tear(&found->now, write, random);
    }
}

struct lossy_disk *lossy_power_loss(const struct lossy_disk *disk, uint64_t seed)
{
    uint64_t random = seed * 0x9e3779b97f4a7c15U + 1;
    enum loss loss = (enum loss)(next_random(&random) % LOSSES);
    struct lossy_disk *found;
    if (lossy_disk_new(&found) != 0)
        return NULL;
    for (unsigned i = 0; i < LOSSY_FILES_MAX && disk->files[i] != NULL; i++) {
        const struct lossy_data *data = disk->files[i];
        struct lossy_data *copy = find(found, data->name, true);
        bytes_append(&copy->now, data->synced.data, data->synced.size);
        lose(copy, data, loss, &random);
        copy->present = copy->durable = data->durable || copy->now.size > 0;
        bytes_append(&copy->synced, copy->now.data, copy->now.size);
    }
    return found;
}
