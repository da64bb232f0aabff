/* SPDX-License-Identifier: ISC */
/*
 * Staging directories: made, locked, and how far what is in them is.
 *
 * A killed process loses nothing that it has written, so after one the note in `soft` is right; it
 * is believed while the machine has not started anew. After that `have` is.
 */
#include "client/unpack_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    SYNC_BYTES = 64 * 1024 * 1024,
    SYNC_MS = 5000,
    NOTE_MAX = 80,
};

static const char *const phases[] = {"moving", "placing"};

/* Reads a small file as a text; "" when there is none. */
static void read_note(int directory, const char *name, char text[static NOTE_MAX])
{
    const int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t size = fd >= 0 ? pread(fd, text, NOTE_MAX - 1, 0) : 0;
    text[size > 0 ? size : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

static int write_note(int fd, const char *text)
{
    const size_t size = strlen(text);
    if (pwrite(fd, text, size, 0) != (ssize_t)size || ftruncate(fd, (off_t)size) < 0)
        return errno != 0 ? -errno : -EIO;
    return 0;
}

int staging_save(struct unpack *unpack)
{
    char text[NOTE_MAX];
    int r = 0;
    if (syncfs(unpack->tree) < 0)
        return -errno;
    const int fd = openat(unpack->staging, "have.new",
                          O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    snprintf(text, sizeof text, "p2pchat 1 %" PRIu64 " %s\n", unpack->position,
             phases[unpack->placing]);
    r = write_note(fd, text);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    close(fd);
    if (r == 0 && renameat(unpack->staging, "have.new", unpack->staging, "have") < 0)
        r = -errno;
    if (r == 0 && fsync(unpack->staging) < 0)
        r = -errno;
    unpack->synced = unpack->position;
    unpack->synced_ms = clock_monotonic_ms();
    return r;
}

int staging_note(struct unpack *unpack)
{
    char text[NOTE_MAX];
    snprintf(text, sizeof text, "%s %" PRIu64 "\n", unpack->boot, unpack->position);
    int r = write_note(unpack->soft, text);
    const bool due = unpack->position - unpack->synced >= SYNC_BYTES ||
                     clock_monotonic_ms() - unpack->synced_ms >= SYNC_MS;
    return r == 0 && due ? staging_save(unpack) : r;
}

/* Which start of the machine this is. */
static void read_boot(struct unpack *unpack)
{
    char text[NOTE_MAX];
    read_note(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text);
    text[strcspn(text, "\n")] = '\0';
    snprintf(unpack->boot, sizeof unpack->boot, "%.36s", text[0] != '\0' ? text : "unknown");
}

/* How far the data is: a multiple of the chunk's size, or all. */
static void find_offset(struct unpack *unpack)
{
    char text[NOTE_MAX], boot[40] = "", phase[16] = "";
    uint64_t have = 0, soft = 0;
    read_note(unpack->staging, "have", text);
    if (sscanf(text, "p2pchat 1 %" SCNu64 " %15s", &have, phase) != 2)
        have = 0;
    unpack->placing = strcmp(phase, phases[1]) == 0;
    read_note(unpack->staging, "soft", text);
    if (sscanf(text, "%39s %" SCNu64, boot, &soft) == 2 && strcmp(boot, unpack->boot) == 0 &&
        strcmp(boot, "unknown") != 0 && soft > have)
        have = soft;
    if (have < unpack->offer.data_size)
        have -= have % unpack->offer.chunk_size;
    unpack->offset = have <= unpack->offer.data_size ? have : 0;
    unpack->position = unpack->synced = unpack->offset;
}

static int fail_staging(const struct unpack *unpack, int error)
{
    if (error == EWOULDBLOCK)
        return ctl_fail(unpack->ctl, RPC_KIND_busy,
                        "another process is getting it into this "
                        "directory now");
    if (error == EPERM)
        return ctl_fail_as(unpack->ctl, EX_NOPERM, "not_permitted",
                           "the staging directory " UNPACK_STAGING "%s belongs to somebody else",
                           unpack->offer.id);
    return ctl_fail(unpack->ctl, error == ENOSPC ? RPC_KIND_disk_full : RPC_KIND_store_error,
                    "the staging directory " UNPACK_STAGING "%s: %s", unpack->offer.id,
                    strerror(error));
}

static void name_staging(const struct unpack *unpack, char name[static NOTE_MAX])
{
    snprintf(name, NOTE_MAX, UNPACK_STAGING "%.60s", unpack->offer.id);
}

/* Opens a directory that is made if it is not there, and must be ours alone. 0 or -errno. */
static int open_own(int parent, const char *name, int *fd)
{
    struct stat status;
    if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
        return -errno;
    *fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*fd < 0)
        return errno == ELOOP || errno == ENOTDIR ? -EPERM : -errno;
    if (fstat(*fd, &status) < 0)
        return -errno;
    return status.st_uid == geteuid() && (status.st_mode & 077) == 0 ? 0 : -EPERM;
}

int unpack_init(struct unpack *unpack, struct ctl *ctl, int directory,
                const struct unpack_offer *offer)
{
    char name[NOTE_MAX];
    *unpack = (struct unpack){.ctl = ctl,
                              .offer = *offer,
                              .directory = directory,
                              .staging = -1,
                              .tree = -1,
                              .soft = -1,
                              .synced_ms = clock_monotonic_ms()};
    name_staging(unpack, name);
    int r = open_own(directory, name, &unpack->staging);
    if (r == 0 && flock(unpack->staging, LOCK_EX | LOCK_NB) < 0)
        r = -errno;
    if (r == 0)
        r = open_own(unpack->staging, "tree", &unpack->tree);
    if (r == 0) {
        read_boot(unpack);
        find_offset(unpack);
        unpack->soft =
            openat(unpack->staging, "soft", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        r = unpack->soft < 0 ? -errno : 0;
    }
    return r < 0 ? fail_staging(unpack, -r) : 0;
}

void unpack_deinit(struct unpack *unpack)
{
    const int open[] = {unpack->soft, unpack->tree, unpack->staging};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (open[i] >= 0)
            close(open[i]);
    bytes_deinit(&unpack->manifest);
}

void unpack_forget(struct unpack *unpack)
{
    static const char *const notes[] = {"have", "have.new", "soft", "placed"};
    char name[NOTE_MAX];
    unlinkat(unpack->staging, "tree", AT_REMOVEDIR);
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        unlinkat(unpack->staging, notes[i], 0);
    name_staging(unpack, name);
    unlinkat(unpack->directory, name, AT_REMOVEDIR);
}
