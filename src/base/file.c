/* SPDX-License-Identifier: ISC */
/*
 * Small files, read and replaced whole. Not for what grows: that is the store's.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { READ_CHUNK = 4096 };

/* For CLEANUP(): closes a descriptor that is still open. */
static void close_cleanup(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Opens for reading; O_NONBLOCK so that a FIFO in place of the file cannot hold us. */
static int open_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

/* Appends what is left of the file, at most `limit` bytes in all. */
static int read_all(int fd, size_t limit, struct bytes *content)
{
    for (;;) {
        ssize_t count;
        if (bytes_reserve(content, READ_CHUNK) < 0)
            return -ENOMEM;
        count = read(fd, content->data + content->size, READ_CHUNK);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        if (count == 0)
            return 0;
        content->size += (size_t)count;
        if (content->size > limit)
            return -EFBIG;
    }
}

/* Reads `fd` into `content`, which is empty and wiped when that fails. */
static int read_whole(int fd, size_t limit, struct bytes *content)
{
    int r;
    bytes_clear(content);
    r = read_all(fd, limit, content);
    if (r < 0)
        bytes_deinit(content);
    return r;
}

int file_read(const char *path, size_t limit, struct bytes *content)
{
    CLEANUP(close_cleanup) int fd = open_read(path);
    return fd < 0 ? fd : read_whole(fd, limit, content);
}

/* Whether the open file is one that only this user or root could have written or read. */
static int check_private(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || (status.st_uid != geteuid() && status.st_uid != 0) ||
        (status.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0)
        return -EPERM;
    return 0;
}

int file_read_secret(const char *path, size_t limit, struct bytes *content)
{
    CLEANUP(close_cleanup) int fd = open_read(path);
    int r;
    if (fd < 0)
        return fd;
    r = check_private(fd);
    return r < 0 ? r : read_whole(fd, limit, content);
}

int file_write_all(int fd, struct span content)
{
    while (content.size > 0) {
        ssize_t count = write(fd, content.data, content.size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        content.data += count;
        content.size -= (size_t)count;
    }
    return 0;
}

static int sync_directory(const char *path)
{
    CLEANUP(close_cleanup) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return -errno;
    return 0;
}

int directory_sync_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return sync_directory(".");
    CLEANUP(cleanup_free)
    char *directory = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    return directory != NULL ? sync_directory(directory) : -ENOMEM;
}

/* Gives the file its name: in the place of what is there, or only if nothing is. */
static int place(const char *temporary, const char *path, bool replace)
{
    if (replace)
        return rename(temporary, path) < 0 ? -errno : 0;
    if (link(temporary, path) < 0)
        return -errno;
    unlink(temporary);
    return 0;
}

/* Fills the new file `temporary`, open as `fd`, and names it `path`. */
static int fill_and_place(int fd, const char *temporary, const char *path, struct span content,
                          bool replace)
{
    int r = file_write_all(fd, content);
    if (r < 0)
        return r;
    if (fchmod(fd, S_IRUSR | S_IWUSR) < 0 || fsync(fd) < 0)
        return -errno;
    return place(temporary, path, replace);
}

static int write_secret(const char *path, struct span content, bool replace)
{
    CLEANUP(cleanup_free) char *temporary = NULL;
    CLEANUP(close_cleanup) int fd = -1;
    int r;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
        temporary = NULL;
        return -ENOMEM;
    }
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    r = fill_and_place(fd, temporary, path, content, replace);
    if (r < 0) {
        unlink(temporary);
        return r;
    }
    return directory_sync_of(path);
}

int file_write_secret(const char *path, struct span content)
{
    return write_secret(path, content, true);
}

int file_create_secret(const char *path, struct span content)
{
    return write_secret(path, content, false);
}

static int make_one(const char *path)
{
    struct stat status;
    if (mkdir(path, S_IRWXU) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (stat(path, &status) < 0)
        return -errno;
    return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

int directory_make_parents(const char *path)
{
    CLEANUP(cleanup_free) char *parent = strdup(path);
    if (parent == NULL)
        return -ENOMEM;
    for (char *at = parent; *at != '\0'; at++) {
        int r;
        if (*at != '/' || at == parent || at[-1] == '/')
            continue;
        *at = '\0';
        r = make_one(parent);
        if (r < 0)
            return r;
        *at = '/';
    }
    return 0;
}

int directory_make(const char *path)
{
    int r = directory_make_parents(path);
    return r < 0 ? r : make_one(path);
}

char *path_join(const char *directory, const char *name)
{
    size_t length = strlen(directory);
    bool slash = length > 0 && directory[length - 1] == '/';
    char *path;
    return asprintf(&path, "%s%s%s", directory, slash ? "" : "/", name) < 0 ? NULL : path;
}
