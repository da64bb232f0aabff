/* SPDX-License-Identifier: ISC */
/*
 * Making what a manifest says, below a directory of our own.
 */
#include "client/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "client/rest.h"
#include "client/unpack_state.h"

enum {
    PIECE = 256 * 1024,
    HOLE = 64 * 1024, /* zeros that are left out */
    NS_PER_S = 1000000000,
};

static int fail_io(const struct unpack *unpack, const char *path, int error)
{
    return ctl_fail(
        unpack->ctl, error == ENOSPC || error == EDQUOT ? RPC_KIND_disk_full : RPC_KIND_store_error,
        "%s: %s; what has come is kept, the same command goes on with it", path, strerror(error));
}

/* --- what comes ------------------------------------------------------------------------------- */

/* Reads exactly so much. 0 or UNPACK_CUT. */
static int read_all(int socket, uint8_t *data, size_t size)
{
    while (size > 0) {
        const ssize_t done = read(socket, data, size);
        if (done == 0 || (done < 0 && errno != EINTR))
            return UNPACK_CUT;
        if (done > 0) {
            data += done;
            size -= (size_t)done;
        }
    }
    return 0;
}

static int read_manifest(struct unpack *unpack, int socket)
{
    const char *complaint;
    bytes_clear(&unpack->manifest);
    if (unpack->offer.manifest_size > MANIFEST_SIZE_MAX ||
        bytes_append_zeros(&unpack->manifest, (size_t)unpack->offer.manifest_size) < 0)
        return ctl_fail(unpack->ctl, RPC_KIND_internal, "out of memory");
    int r = read_all(socket, unpack->manifest.data, unpack->manifest.size);
    if (r == 0 && manifest_check(bytes_span(&unpack->manifest), unpack->offer.entries,
                                 unpack->offer.data_size, &complaint) != 0)
        return ctl_fail(unpack->ctl, RPC_KIND_bad_manifest,
                        "the list of files is not a legal one: %s", complaint);
    return r;
}

/* --- files ------------------------------------------------------------------------------------ */

/* Opens a file that begins at `start` of the data: what is there behind unpack->offset goes. */
static int open_file(const struct unpack *unpack, const char *path, uint64_t start)
{
    const char *name;
    const uint64_t kept = unpack->offset > start ? unpack->offset - start : 0;
    if (kept > 0) {
        const int fd = beneath_open(unpack->tree, path, O_WRONLY, 0);
        if (fd >= 0 && ftruncate(fd, (off_t)kept) < 0) {
            const int error = errno;
            close(fd);
            return -error;
        }
        return fd;
    }
    const int parent = beneath_parent(unpack->tree, path, &name);
    if (parent < 0)
        return parent;
    unlinkat(parent, name, 0);
    close(parent);
    return beneath_open(unpack->tree, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
}

static bool is_hole(const uint8_t *data, size_t size)
{
    return size == HOLE && bytes_all_zero(data, size);
}

/* Writes a piece but for blocks of zeros. 0 or -errno. */
static int write_piece(int fd, const uint8_t *data, size_t size, uint64_t at)
{
    while (size > 0) {
        /* Holes lie at multiples of their size, as file systems have them. */
        const size_t to_edge = HOLE - (size_t)(at % HOLE);
        const size_t block = size < to_edge ? size : to_edge;
        ssize_t done = (ssize_t)block;
        if (!is_hole(data, block))
            done = pwrite(fd, data, block, (off_t)at);
        if (done < 0 && errno != EINTR)
            return -errno;
        if (done > 0) {
            data += done;
            size -= (size_t)done;
            at += (uint64_t)done;
        }
    }
    return 0;
}

static int note_position(struct unpack *unpack, uint64_t size)
{
    const uint64_t before = unpack->position / unpack->offer.chunk_size;
    unpack->position += size;
    if (unpack->progress != NULL)
        unpack->progress(unpack->context, unpack->position);
    if (unpack->position / unpack->offer.chunk_size == before)
        return 0;
    int r = staging_note(unpack);
    return r < 0 ? fail_io(unpack, "the staging directory", -r) : 0;
}

/* How much is taken at once: with a rate, not what would take seconds. */
static size_t piece_size(const struct unpack *unpack, uint64_t left)
{
    const uint64_t quarter = unpack->rate / 4 + 1;
    const uint64_t most = unpack->rate > 0 && quarter < PIECE ? quarter : PIECE;
    return (size_t)(left < most ? left : most);
}

/* Rests until no more has come than may have come by then. */
static void keep_rate(const struct unpack *unpack)
{
    if (unpack->rate == 0)
        return;
    const double due_ms = (double)(unpack->position - unpack->offset) * 1000 / (double)unpack->rate;
    const double left_ms = due_ms - (double)(clock_monotonic_ms() - unpack->began_ms);
    if (left_ms >= 1)
        rest_ms((uint64_t)left_ms);
}

/* Fills a file from its byte `from` on. */
static int fill_file(struct unpack *unpack, int fd, const char *path, uint64_t from, uint64_t size,
                     int socket)
{
    static uint8_t piece[PIECE];
    while (from < size) {
        const size_t wanted = piece_size(unpack, size - from);
        int r = read_all(socket, piece, wanted);
        if (r != 0)
            return r;
        r = write_piece(fd, piece, wanted, from);
        if (r < 0)
            return fail_io(unpack, path, -r);
        from += wanted;
        r = note_position(unpack, wanted);
        if (r != 0)
            return r;
        keep_rate(unpack);
    }
    return ftruncate(fd, (off_t)size) < 0 ? fail_io(unpack, path, errno) : 0;
}

static int make_file(struct unpack *unpack, const struct manifest_entry *entry, uint64_t start,
                     int socket)
{
    char path[BENEATH_PATH_MAX + 1];
    const uint64_t end = start + entry->size;
    manifest_path(entry, path);
    if (end <= unpack->offset && entry->size > 0)
        return 0; /* it is there */
    const int fd = open_file(unpack, path, start);
    if (fd < 0)
        return fail_io(unpack, path, -fd);
    const uint64_t from = unpack->offset > start ? unpack->offset - start : 0;
    int r = fill_file(unpack, fd, path, from, entry->size, socket);
    if (close(fd) < 0 && r == 0)
        r = fail_io(unpack, path, errno);
    return r;
}

/* --- directories and symlinks ----------------------------------------------------------------- */

static int make_directory(const struct unpack *unpack, const struct manifest_entry *entry)
{
    char path[BENEATH_PATH_MAX + 1];
    const char *name;
    manifest_path(entry, path);
    const int parent = beneath_parent(unpack->tree, path, &name);
    if (parent < 0)
        return fail_io(unpack, path, -parent);
    /* One that is there may have its mode already. */
    const bool made = mkdirat(parent, name, 0700) == 0 ||
                      (errno == EEXIST && fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW) == 0);
    int r = made ? 0 : fail_io(unpack, path, errno);
    close(parent);
    return r;
}

static int make_symlink(struct unpack *unpack, const struct manifest_entry *entry)
{
    char path[BENEATH_PATH_MAX + 1], target[MANIFEST_TARGET_MAX + 1];
    const char *name;
    manifest_path(entry, path);
    memcpy(target, entry->target.data, entry->target.size);
    target[entry->target.size] = '\0';
    if (!manifest_link_stays(entry)) {
        ctl_note(unpack->ctl, "%s is left out: a symlink that leads out of what was sent", path);
        unpack->left_out++;
        return 0;
    }
    const int parent = beneath_parent(unpack->tree, path, &name);
    if (parent < 0)
        return fail_io(unpack, path, -parent);
    unlinkat(parent, name, 0);
    int r = symlinkat(target, parent, name) < 0 ? fail_io(unpack, path, errno) : 0;
    close(parent);
    return r;
}

/* --- modes and times -------------------------------------------------------------------------- */

static int dress(const struct unpack *unpack, const struct manifest_entry *entry, mode_t mask)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = (time_t)(entry->mtime_ns / NS_PER_S),
                                       .tv_nsec = (long)(entry->mtime_ns % NS_PER_S)}};
    char path[BENEATH_PATH_MAX + 1];
    const char *name;
    if (entry->type == MANIFEST_SYMLINK && !manifest_link_stays(entry))
        return 0;
    manifest_path(entry, path);
    const int parent = beneath_parent(unpack->tree, path, &name);
    if (parent < 0)
        return fail_io(unpack, path, -parent);
    int r = 0;
    if (utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        r = fail_io(unpack, path, errno);
    if (r == 0 && entry->type != MANIFEST_SYMLINK &&
        fchmodat(parent, name, entry->mode & 0777 & ~mask, AT_SYMLINK_NOFOLLOW) < 0)
        r = fail_io(unpack, path, errno);
    close(parent);
    return r;
}

/* Deepest first, so that a directory that may not be written, or has its time, is done with. */
static int dress_all(const struct unpack *unpack)
{
    CLEANUP(cleanup_free)
    struct manifest_entry *entries = calloc(unpack->offer.entries, sizeof *entries);
    const mode_t mask = umask(0);
    struct manifest_walk walk;
    size_t count = 0;
    umask(mask);
    if (entries == NULL)
        return ctl_fail(unpack->ctl, RPC_KIND_internal, "out of memory");
    manifest_begin(&walk, bytes_span(&unpack->manifest));
    while (count < unpack->offer.entries && manifest_next(&walk, &entries[count]) == 0)
        count++;
    int r = 0;
    while (r == 0 && count > 0)
        r = dress(unpack, &entries[--count], mask);
    return r;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int make_entries(struct unpack *unpack, int socket)
{
    struct manifest_walk walk;
    struct manifest_entry entry;
    uint64_t start = 0;
    int r = 0;
    manifest_begin(&walk, bytes_span(&unpack->manifest));
    while (r == 0 && manifest_next(&walk, &entry) == 0) {
        if (entry.type == MANIFEST_DIRECTORY)
            r = make_directory(unpack, &entry);
        else if (entry.type == MANIFEST_FILE)
            r = make_file(unpack, &entry, start, socket);
        start += entry.size;
    }
    return r;
}

static int make_symlinks(struct unpack *unpack)
{
    struct manifest_walk walk;
    struct manifest_entry entry;
    int r = 0;
    manifest_begin(&walk, bytes_span(&unpack->manifest));
    while (r == 0 && manifest_next(&walk, &entry) == 0)
        if (entry.type == MANIFEST_SYMLINK)
            r = make_symlink(unpack, &entry);
    return r;
}

int unpack_take(struct unpack *unpack, int socket)
{
    unpack->position = unpack->offset;
    int r = read_manifest(unpack, socket);
    unpack->began_ms = clock_monotonic_ms();
    if (r == 0)
        r = make_entries(unpack, socket);
    if (r == 0)
        r = make_symlinks(unpack);
    if (r == 0)
        r = dress_all(unpack);
    if (r != 0)
        return r;
    unpack->placing = true;
    r = staging_save(unpack);
    return r < 0 ? fail_io(unpack, "the staging directory", -r) : 0;
}
