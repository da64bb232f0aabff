/* SPDX-License-Identifier: ISC */
/*
 * Walking and reading what is sent. Below what was named no symlink is followed.
 */
#include "client/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { PIECE = 256 * 1024 };

/* A directory on the way down. */
struct level {
    int fd;
    char **names; /* sorted by their bytes */
    size_t count;
    size_t next;
    size_t path_size; /* of the directory itself */
};

struct descent {
    struct pack *pack;
    struct level levels[BENEATH_DEPTH_MAX];
    unsigned depth;
    char path[BENEATH_PATH_MAX + 1]; /* of the entry, from its top-level one on */
};

static uint64_t time_of(const struct stat *status)
{
    const int64_t seconds = status->st_mtim.tv_sec > 0 ? status->st_mtim.tv_sec : 0;
    return (uint64_t)seconds * UINT64_C(1000000000) + (uint64_t)status->st_mtim.tv_nsec;
}

static int fail_path(const struct pack *pack, const char *path, int error)
{
    return ctl_fail_as(pack->ctl, EX_IOERR, "io", "%s: %s", path, strerror(error));
}

/* --- walking ---------------------------------------------------------------------------------- */

static int add(struct descent *descent, const struct stat *status, struct span target)
{
    struct pack *pack = descent->pack;
    const mode_t kind = status->st_mode & S_IFMT;
    const struct manifest_entry entry = {
        .path = SPAN(descent->path, strlen(descent->path)),
        .type = kind == S_IFDIR   ? MANIFEST_DIRECTORY
                : kind == S_IFREG ? MANIFEST_FILE
                                  : MANIFEST_SYMLINK,
        .mode = (uint16_t)(status->st_mode & 0777),
        .mtime_ns = time_of(status),
        .size = kind == S_IFREG ? (uint64_t)status->st_size : 0,
        .target = target,
    };
    if (++pack->entries > MANIFEST_ENTRIES_MAX ||
        pack->manifest.size + entry.path.size + target.size + 32 > MANIFEST_SIZE_MAX)
        return ctl_fail(pack->ctl, RPC_KIND_too_large,
                        "there are more than 1,048,576 entries, or too long names; send it in "
                        "parts, or as an archive");
    pack->data_size += entry.size;
    if (manifest_append(&pack->manifest, &entry) < 0)
        return ctl_fail(pack->ctl, RPC_KIND_internal, "out of memory");
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_level(struct level *level)
{
    for (size_t i = 0; i < level->count; i++)
        free(level->names[i]);
    free(level->names);
    if (level->fd >= 0)
        close(level->fd);
}

/* Reads the names in a directory, of which the descriptor is taken over. 0 or -errno. */
static int read_names(struct level *level, int fd)
{
    size_t capacity = 0;
    const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *list = own >= 0 ? fdopendir(own) : NULL;
    const struct dirent *entry;
    *level = (struct level){.fd = fd};
    if (list == NULL) {
        if (own >= 0)
            close(own);
        return -errno;
    }
    int r = 0;
    while (r == 0 && (errno = 0, entry = readdir(list)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (level->count == capacity) {
            capacity = capacity > 0 ? 2 * capacity : 64;
            char **larger = reallocarray(level->names, capacity, sizeof *larger);
            if (larger == NULL) {
                r = -ENOMEM;
                break;
            }
            level->names = larger;
        }
        level->names[level->count] = strdup(entry->d_name);
        r = level->names[level->count] != NULL ? 0 : -ENOMEM;
        level->count += r == 0;
    }
    if (r == 0 && errno != 0)
        r = -errno;
    closedir(list);
    if (level->count > 0)
        qsort(level->names, level->count, sizeof *level->names, compare_names);
    return r;
}

/* Goes into a directory. 0 or ctl->status. */
static int enter(struct descent *descent, int fd)
{
    if (descent->depth == BENEATH_DEPTH_MAX) {
        close(fd);
        return ctl_fail(descent->pack->ctl, RPC_KIND_bad_name, "%s: more than %d directories deep",
                        descent->path, BENEATH_DEPTH_MAX);
    }
    struct level *level = &descent->levels[descent->depth++];
    int r = read_names(level, fd);
    level->path_size = strlen(descent->path);
    return r < 0 ? fail_path(descent->pack, descent->path, -r) : 0;
}

static int add_symlink(struct descent *descent, int fd, const char *name, const struct stat *status)
{
    char target[MANIFEST_TARGET_MAX + 1];
    const ssize_t size = readlinkat(fd, name, target, sizeof target);
    if (size < 0)
        return fail_path(descent->pack, descent->path, errno);
    if (size == 0 || size > MANIFEST_TARGET_MAX)
        return fail_path(descent->pack, descent->path, ENAMETOOLONG);
    return add(descent, status, SPAN(target, (size_t)size));
}

static int add_special(const struct pack *pack, const char *path)
{
    if (pack->skip_special) {
        ctl_note(pack->ctl, "%s is left out", path);
        return 0;
    }
    return ctl_fail(pack->ctl, RPC_KIND_bad_name,
                    "%s is a device, socket or FIFO; leave such out with --skip-special", path);
}

/* Adds what a name in the innermost directory stands for. 0 or ctl->status. */
static int add_name(struct descent *descent, const struct level *level, const char *name)
{
    struct pack *pack = descent->pack;
    struct stat status;
    const size_t size = strlen(name);
    if (level->path_size + 1 + size > BENEATH_PATH_MAX)
        return fail_path(pack, descent->path, ENAMETOOLONG);
    descent->path[level->path_size] = '/';
    memcpy(descent->path + level->path_size + 1, name, size + 1);
    if (fstatat(level->fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_path(pack, descent->path, errno);
    if (S_ISLNK(status.st_mode))
        return add_symlink(descent, level->fd, name, &status);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        return add_special(pack, descent->path);
    int r = add(descent, &status, SPAN(NULL, 0));
    if (r != 0 || S_ISREG(status.st_mode))
        return r;
    const int fd = openat(level->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? fail_path(pack, descent->path, errno) : enter(descent, fd);
}

static int walk_root(struct descent *descent, const struct pack_root *root)
{
    struct stat status;
    snprintf(descent->path, sizeof descent->path, "%s", root->name);
    if (fstat(root->fd, &status) < 0)
        return fail_path(descent->pack, root->path, errno);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        return add_special(descent->pack, root->path);
    int r = add(descent, &status, SPAN(NULL, 0));
    if (r == 0 && S_ISDIR(status.st_mode)) {
        const int fd = fcntl(root->fd, F_DUPFD_CLOEXEC, 0);
        r = fd < 0 ? fail_path(descent->pack, root->path, errno) : enter(descent, fd);
    }
    while (r == 0 && descent->depth > 0) {
        struct level *level = &descent->levels[descent->depth - 1];
        if (level->next < level->count) {
            r = add_name(descent, level, level->names[level->next++]);
        } else {
            free_level(level);
            descent->depth--;
        }
    }
    while (descent->depth > 0)
        free_level(&descent->levels[--descent->depth]);
    return r;
}

/* --- what was named --------------------------------------------------------------------------- */

/* The last component, of "." and the like that of where it leads. 0 or -errno. */
static int name_root(struct pack_root *root)
{
    CLEANUP(cleanup_free) char *copy = strdup(root->path);
    if (copy == NULL)
        return -ENOMEM;
    for (size_t size = strlen(copy); size > 1 && copy[size - 1] == '/';)
        copy[--size] = '\0';
    const char *slash = strrchr(copy, '/');
    const char *name = slash != NULL ? slash + 1 : copy;
    CLEANUP(cleanup_free) char *real = NULL;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        real = realpath(copy, NULL);
        slash = real != NULL ? strrchr(real, '/') : NULL;
        name = slash != NULL ? slash + 1 : "";
    }
    if (name[0] == '\0' || strlen(name) > MANIFEST_NAME_MAX)
        return -EINVAL;
    snprintf(root->name, sizeof root->name, "%s", name);
    return 0;
}

static int open_root(struct pack *pack, struct pack_root *root, const char *path)
{
    *root = (struct pack_root){.path = path, .fd = -1};
    root->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (root->fd < 0)
        return fail_path(pack, path, errno);
    int r = name_root(root);
    return r < 0 ? fail_path(pack, path, -r) : 0;
}

static int compare_roots(const void *a, const void *b)
{
    return strcmp(((const struct pack_root *)a)->name, ((const struct pack_root *)b)->name);
}

static int walk_roots(struct pack *pack)
{
    CLEANUP(cleanup_free) struct descent *descent = calloc(1, sizeof *descent);
    if (descent == NULL)
        return ctl_fail(pack->ctl, RPC_KIND_internal, "out of memory");
    descent->pack = pack;
    for (size_t i = 0; i < pack->root_count; i++) {
        const struct pack_root *root = &pack->roots[i];
        if (i > 0 && strcmp(root->name, root[-1].name) == 0)
            return ctl_fail(pack->ctl, RPC_KIND_usage, "%s and %s would have the same name",
                            root[-1].path, root->path);
        int r = walk_root(descent, root);
        if (r != 0)
            return r;
    }
    if (pack->entries == 0)
        return ctl_fail(pack->ctl, RPC_KIND_empty, "nothing is left to send");
    return 0;
}

int pack_init(struct pack *pack, struct ctl *ctl, bool skip_special, char **paths, size_t count)
{
    *pack = (struct pack){.ctl = ctl, .skip_special = skip_special};
    if (count > PACK_ROOTS_MAX)
        return ctl_fail(ctl, RPC_KIND_usage, "at most %d files and directories at once",
                        PACK_ROOTS_MAX);
    pack->roots = calloc(count, sizeof *pack->roots);
    if (pack->roots == NULL)
        return ctl_fail(ctl, RPC_KIND_internal, "out of memory");
    for (size_t i = 0; i < count; i++) {
        int r = open_root(pack, &pack->roots[pack->root_count++], paths[i]);
        if (r != 0)
            return r;
    }
    qsort(pack->roots, pack->root_count, sizeof *pack->roots, compare_roots);
    return walk_roots(pack);
}

void pack_deinit(struct pack *pack)
{
    for (size_t i = 0; i < pack->root_count; i++)
        if (pack->roots[i].fd >= 0)
            close(pack->roots[i].fd);
    free(pack->roots);
    bytes_deinit(&pack->manifest);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The rest of a path below its top-level entry, whose root moves on with the entries. */
static const char *below(const struct pack_root *root, const char *path)
{
    const size_t size = strlen(root->name);
    return path[size] == '/' ? path + size + 1 : "";
}

static const struct pack_root *find_root(const struct pack *pack, const char *path)
{
    const size_t size = strcspn(path, "/");
    for (size_t i = 0; i < pack->root_count; i++)
        if (strlen(pack->roots[i].name) == size && memcmp(pack->roots[i].name, path, size) == 0)
            return &pack->roots[i];
    return NULL;
}

static int fail_changed(const struct pack *pack, const char *path)
{
    return ctl_fail(pack->ctl, RPC_KIND_changed,
                    "%s changed while it was read; nothing was sent, try again", path);
}

static int put(int socket, const uint8_t *data, size_t size)
{
    while (size > 0) {
        const ssize_t done = send(socket, data, size, MSG_NOSIGNAL);
        if (done < 0 && errno != EINTR)
            return PACK_UNTAKEN;
        if (done > 0) {
            data += done;
            size -= (size_t)done;
        }
    }
    return 0;
}

/* Whether a file is still the one of which the manifest tells. */
static bool is_same(int fd, const struct manifest_entry *entry)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
           (uint64_t)status.st_size == entry->size && time_of(&status) == entry->mtime_ns;
}

static int put_content(const struct pack *pack, int fd, const struct manifest_entry *entry,
                       const char *path, int socket)
{
    static uint8_t piece[PIECE];
    for (uint64_t at = 0; at < entry->size;) {
        const uint64_t left = entry->size - at;
        const ssize_t size = pread(fd, piece, left < PIECE ? (size_t)left : PIECE, (off_t)at);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return fail_path(pack, path, errno);
        if (size == 0)
            return fail_changed(pack, path);
        int r = put(socket, piece, (size_t)size);
        if (r != 0)
            return r;
        at += (uint64_t)size;
    }
    return is_same(fd, entry) ? 0 : fail_changed(pack, path);
}

static int put_file(const struct pack *pack, const struct manifest_entry *entry, int socket)
{
    char path[BENEATH_PATH_MAX + 1];
    manifest_path(entry, path);
    const struct pack_root *root = find_root(pack, path);
    const char *rest = root != NULL ? below(root, path) : "";
    const int fd = rest[0] == '\0' ? fcntl(root != NULL ? root->fd : -1, F_DUPFD_CLOEXEC, 0)
                                   : beneath_open(root->fd, rest, O_RDONLY | O_NONBLOCK, 0);
    if (fd == -ENOENT || fd == -ELOOP || fd == -ENOTDIR)
        return fail_changed(pack, path);
    if (fd < 0)
        return fail_path(pack, path, fd == -1 ? errno : -fd);
    int r =
        is_same(fd, entry) ? put_content(pack, fd, entry, path, socket) : fail_changed(pack, path);
    close(fd);
    return r;
}

int pack_write(struct pack *pack, int socket)
{
    struct manifest_walk walk;
    struct manifest_entry entry;
    int r = put(socket, pack->manifest.data, pack->manifest.size);
    manifest_begin(&walk, bytes_span(&pack->manifest));
    while (r == 0 && manifest_next(&walk, &entry) == 0)
        if (entry.type == MANIFEST_FILE)
            r = put_file(pack, &entry, socket);
    return r;
}
