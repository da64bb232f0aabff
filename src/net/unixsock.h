/* SPDX-License-Identifier: ISC */
/*
 * The file side of a listening UNIX socket: made with a tight mode, never in the place of a live
 * one, and removed only while it is still the same file.
 */
#pragma once

#include <sys/types.h>

/* Which file a path was when the socket was bound. */
struct unixsock_file {
    dev_t device;
    ino_t inode;
};

/*
 * Listens at `path`. 0, or -ENAMETOOLONG for a path that no socket can have, -EADDRINUSE when a
 * live process answers there, -EEXIST when something else than a socket is there, or another
 * -errno.
 */
int unixsock_listen(const char *path, mode_t mode, int *fd, struct unixsock_file *file);

/* Removes the socket, unless the path has become another file. */
void unixsock_remove(const char *path, const struct unixsock_file *file);
