/* SPDX-License-Identifier: ISC */
/*
 * Room on the store's disk.
 */
#define LOG_COMPONENT "store"
#include "store/space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

struct space {
    char *directory;
    char *ballast; /* its path */
    bool loaded;   /* the ballast is there */
    bool low;
    uint64_t left;    /* free bytes */
    uint64_t percent; /* of the disk: fewer than this are low … */
    uint64_t low_at;  /* … which is so many bytes */
    uint64_t reserve; /* size of the ballast */
};

static uint64_t smaller(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/* What is not known does not stop anything. */
static void measure(struct space *space)
{
    struct statvfs status;
    if (statvfs(space->directory, &status) < 0)
        return;
    const uint64_t size = (uint64_t)status.f_blocks * status.f_frsize;
    const uint64_t least = smaller(size / SPACE_LOW_SHARE, SPACE_LOW_BYTES);
    const uint64_t share = smaller(size / 100 * space->percent, SPACE_LOW_MAX);
    space->left = (uint64_t)status.f_bavail * status.f_frsize;
    space->low_at = share > least ? share : least;
    space->reserve = least / 2;
}

static void load(struct space *space)
{
    int fd = open(space->ballast, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)space->reserve);
    if (fd >= 0)
        close(fd);
    space->loaded = error == 0;
    if (error != 0)
        unlink(space->ballast);
}

static void unload(struct space *space)
{
    if (!space->loaded)
        return;
    space->loaded = false;
    if (unlink(space->ballast) == 0)
        log_event(LOG_LEVEL_WARNING, "disk-ballast", NULL,
                  "the disk is nearly full: gave up %llu bytes kept in reserve",
                  (unsigned long long)space->reserve);
}

int space_new(struct space **space, const char *directory)
{
    struct space *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    made->directory = path_join(directory, "");
    made->ballast = path_join(directory, "ballast");
    if (made->directory == NULL || made->ballast == NULL) {
        space_free(made);
        return -ENOMEM;
    }
    made->loaded = access(made->ballast, F_OK) == 0;
    made->left = INT64_MAX;
    space_check(made, 0);
    *space = made;
    return 0;
}

void space_free(struct space *space)
{
    if (space == NULL)
        return;
    free(space->directory);
    free(space->ballast);
    free(space);
}

void space_set_share(struct space *space, uint64_t percent)
{
    space->percent = percent;
}

/* What messages may take: free bytes, with those of the store's file, less what it still wants. */
static uint64_t room_for_messages(const struct space *space, int64_t spare)
{
    if (spare >= 0)
        return space->left + (uint64_t)spare;
    const uint64_t owed = (uint64_t)-spare;
    return owed < space->left ? space->left - owed : 0;
}

bool space_check(struct space *space, int64_t spare)
{
    measure(space);
    if (space->left < space->reserve)
        unload(space);
    else if (!space->loaded && space->left >= space->low_at + space->reserve)
        load(space);

    /* Without the ballast there is room only when it would fit, too. */
    const uint64_t wanted = space->low_at + (space->loaded ? 0 : space->reserve);
    const bool low = space->left < space->reserve || room_for_messages(space, spare) < wanted;
    if (low != space->low)
        log_event(low ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE, low ? "disk-full" : "disk-ok", NULL,
                  low ? "the disk is nearly full (%llu bytes left): no message is accepted"
                      : "there is room on the disk again (%llu bytes)",
                  (unsigned long long)space->left);
    space->low = low;
    return !low;
}

void space_relieve(struct space *space)
{
    unload(space);
    space_check(space, 0);
}

uint64_t space_left(struct space *space)
{
    measure(space);
    return space->left;
}
