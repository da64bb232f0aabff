/* SPDX-License-Identifier: ISC */
/*
 * By openat2(), which kernels have since 5.6; else component by component.
 */
#include "client/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_one(int fd, const char *name, size_t size, int flags, mode_t mode)
{
    char component[256];
    if (size == 0 || size >= sizeof component)
        return -EINVAL;
    memcpy(component, name, size);
    component[size] = '\0';
    if (strcmp(component, "..") == 0)
        return -EXDEV;
    const int opened = openat(fd, component, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    return opened < 0 ? -errno : opened;
}

static int open_in_steps(int fd, const char *path, int flags, mode_t mode)
{
    int at = fd;
    for (;;) {
        const size_t size = strcspn(path, "/");
        const bool last = path[size] == '\0';
        const int next = open_one(at, path, size, last ? flags : O_PATH | O_DIRECTORY, mode);
        if (at != fd)
            close(at);
        if (last || next < 0)
            return next;
        at = next;
        path += size + 1;
    }
}

int beneath_open(int fd, const char *path, int flags, mode_t mode)
{
    const struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
        .mode = (flags & O_CREAT) != 0 ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    const long opened = syscall(SYS_openat2, fd, path, &how, sizeof how);
    if (opened >= 0)
        return (int)opened;
    return errno == ENOSYS || errno == EPERM ? open_in_steps(fd, path, flags, mode) : -errno;
}

int beneath_parent(int fd, const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    char parent[BENEATH_PATH_MAX + 1];
    *name = slash != NULL ? slash + 1 : path;
    if (slash == NULL) {
        const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        return own < 0 ? -errno : own;
    }
    if ((size_t)(slash - path) >= sizeof parent)
        return -ENAMETOOLONG;
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = '\0';
    return beneath_open(fd, parent, O_PATH | O_DIRECTORY, 0);
}
