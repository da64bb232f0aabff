/* SPDX-License-Identifier: ISC */
/*
 * Binding a UNIX socket to a path and taking it away again. Accepts nothing.
 */
#include "net/unixsock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int open_socket(void)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

static int connect_unix(int fd, const struct sockaddr_un *address)
{
    return connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? -errno : 0;
}

/* 0 when nobody answers at the address, -EADDRINUSE when somebody does or might, or -errno. */
static int probe(const struct sockaddr_un *address)
{
    const int fd = open_socket();
    int r;
    if (fd < 0)
        return fd;
    r = connect_unix(fd, address);
    close(fd);
    switch (r) {
    case -ECONNREFUSED:
    case -ENOENT:
        return 0;
    case -EACCES:
        return r;
    default: /* it answered, or has no room for one more, or is of another type */
        return -EADDRINUSE;
    }
}

/* Takes a stale socket out of the way. */
static int clear_path(const struct sockaddr_un *address)
{
    struct stat status;
    int r;
    if (lstat(address->sun_path, &status) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode))
        return -EEXIST;
    r = probe(address);
    if (r < 0)
        return r;
    return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

/*
 * Binds so that the file has `mode` from its first moment on, which it gets from the socket. The
 * umask is the process's own: no threads.
 */
static int bind_private(int fd, const struct sockaddr_un *address, mode_t mode)
{
    if (fchmod(fd, mode) < 0)
        return -errno;
    const mode_t before = umask(0777 & ~mode);
    const int r = bind(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? -errno : 0;
    umask(before);
    return r;
}

static int listen_at(int fd, const char *path, struct unixsock_file *file)
{
    struct stat status;
    if (lstat(path, &status) < 0 || listen(fd, SOMAXCONN) < 0)
        return -errno;
    *file = (struct unixsock_file){status.st_dev, status.st_ino};
    return 0;
}

int unixsock_listen(const char *path, mode_t mode, int *result, struct unixsock_file *file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t length = strlen(path);
    int fd;
    int r;
    if (length == 0)
        return -EINVAL;
    if (length >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length);

    r = clear_path(&address);
    if (r < 0)
        return r;
    fd = open_socket();
    if (fd < 0)
        return fd;
    r = bind_private(fd, &address, mode);
    if (r == 0) {
        r = listen_at(fd, path, file);
        if (r < 0)
            unlink(path);
    }
    if (r < 0) {
        close(fd);
        return r;
    }
    *result = fd;
    return 0;
}

void unixsock_remove(const char *path, const struct unixsock_file *file)
{
    struct stat status;
    if (lstat(path, &status) == 0 && status.st_dev == file->device && status.st_ino == file->inode)
        unlink(path);
}
