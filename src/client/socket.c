/* SPDX-License-Identifier: ISC */
/*
 * Sockets of the client: for what it serves and forwards. The daemon makes none for others.
 */
#include "client/socket.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/address.h"

enum { BACKLOG = 64 };

static const char unix_prefix[] = "unix:";

/* The path in a UNIX address, or NULL. */
static const char *unix_path(const char *address)
{
    const size_t size = sizeof unix_prefix - 1;
    return strncmp(address, unix_prefix, size) == 0 ? address + size : NULL;
}

const char *socket_flaw(const char *address)
{
    const char *path = unix_path(address);
    struct address parsed;
    if (path != NULL)
        return path[0] == '\0' || strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)
                   ? "its path is empty or too long"
                   : NULL;
    if (strspn(address, "0123456789") == strlen(address) && strlen(address) <= 5)
        return NULL;
    return strchr(address, ':') == NULL || address_parse(address, &parsed) != 0
               ? "it must be HOST:PORT or unix:PATH"
               : NULL;
}

int socket_pair(int ends[static 2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : -errno;
}

static struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strnlen(path, sizeof address.sun_path - 1));
    return address;
}

/* A bare port is one of this machine. */
static struct addrinfo *look_up(const char *text, int flags)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
    char port[8], host[ADDRESS_TEXT_MAX];
    struct addrinfo *found = NULL;
    struct address address;
    snprintf(host, sizeof host, "%s%s", strchr(text, ':') == NULL ? "127.0.0.1:" : "", text);
    if (address_parse(host, &address) != 0)
        return NULL;
    snprintf(port, sizeof port, "%u", address.port);
    return getaddrinfo(address.host, port, &hints, &found) == 0 ? found : NULL;
}

/* Begins with one address. A descriptor or -errno. */
static int begin(int family, const struct sockaddr *address, socklen_t size, int *pending)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    *pending = 0;
    if (connect(fd, address, size) == 0)
        return fd;
    *pending = errno == EINPROGRESS;
    if (*pending)
        return fd;
    const int error = -errno;
    close(fd);
    return error;
}

int socket_connect(const char *address, int *pending)
{
    const char *path = unix_path(address);
    int fd = -ENOENT;
    if (path != NULL) {
        const struct sockaddr_un un = unix_address(path);
        return begin(AF_UNIX, (const struct sockaddr *)&un, sizeof un, pending);
    }
    struct addrinfo *found = look_up(address, 0);
    for (const struct addrinfo *one = found; one != NULL && fd < 0; one = one->ai_next)
        fd = begin(one->ai_family, one->ai_addr, one->ai_addrlen, pending);
    if (found != NULL)
        freeaddrinfo(found);
    return fd;
}

int socket_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? -errno : -error;
}

static int bind_and_listen(int family, const struct sockaddr *address, socklen_t size)
{
    const int on = 1;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address, size) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    const int error = -errno;
    close(fd);
    return error;
}

/* A socket file that a dead process left is in the way of nobody else. */
static void remove_stale(const char *path)
{
    int pending = 0;
    struct stat file;
    const struct sockaddr_un un = unix_address(path);
    if (lstat(path, &file) != 0 || !S_ISSOCK(file.st_mode))
        return;
    const int fd = begin(AF_UNIX, (const struct sockaddr *)&un, sizeof un, &pending);
    if (fd == -ECONNREFUSED)
        unlink(path);
    else if (fd >= 0)
        close(fd);
}

static int listen_unix(const char *path)
{
    const struct sockaddr_un un = unix_address(path);
    remove_stale(path);
    const mode_t before = umask(0177);
    const int fd = bind_and_listen(AF_UNIX, (const struct sockaddr *)&un, sizeof un);
    umask(before);
    return fd;
}

int socket_listen(const char *address)
{
    const char *path = unix_path(address);
    if (path != NULL)
        return listen_unix(path);
    struct addrinfo *found = look_up(address, AI_PASSIVE);
    const int fd = found != NULL
                       ? bind_and_listen(found->ai_family, found->ai_addr, found->ai_addrlen)
                       : -ENOENT;
    if (found != NULL)
        freeaddrinfo(found);
    return fd;
}
