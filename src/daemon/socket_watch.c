/* SPDX-License-Identifier: ISC */
/*
 * Looks after the control socket. A timer does, as inotify(7) is no call of a confined daemon.
 */
#define LOG_COMPONENT "daemon"
#include "daemon/socket_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"

struct socket_watch {
    struct loop *loop;
    struct timer *timer;
    char *path;
    const char *remedy;
    dev_t device;
    ino_t inode;
};

static bool is_there(const struct socket_watch *watch)
{
    struct stat status;
    if (lstat(watch->path, &status) < 0)
        return errno != ENOENT;
    return status.st_dev == watch->device && status.st_ino == watch->inode;
}

/* Says it once: the socket does not come back by itself. */
static void on_timer(void *context)
{
    struct socket_watch *watch = context;
    if (is_there(watch))
        timer_arm_at(watch->timer, loop_now(watch->loop) + SOCKET_WATCH_INTERVAL_MS);
    else
        log_error("the control socket %s was deleted, so no client can reach p2pchatd; to make it "
                  "again: %s",
                  watch->path, watch->remedy);
}

int socket_watch_new(struct socket_watch **watch, struct loop *loop, const char *path,
                     const char *remedy)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        return -errno;
    struct socket_watch *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    *made = (struct socket_watch){.loop = loop,
                                  .path = strdup(path),
                                  .remedy = remedy,
                                  .device = status.st_dev,
                                  .inode = status.st_ino};
    if (made->path == NULL || timer_new(&made->timer, loop, on_timer, made) < 0) {
        socket_watch_free(made);
        return -ENOMEM;
    }
    timer_arm_at(made->timer, loop_now(loop) + SOCKET_WATCH_INTERVAL_MS);
    *watch = made;
    return 0;
}

void socket_watch_free(struct socket_watch *watch)
{
    if (watch == NULL)
        return;
    timer_free(watch->timer);
    free(watch->path);
    free(watch);
}
