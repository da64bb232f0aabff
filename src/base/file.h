/* SPDX-License-Identifier: ISC */
/*
 * Small files and private directories: read whole, replaced whole, durable when it says so.
 */
#pragma once

#include <sys/types.h>

#include "base/bytes.h"

/*
 * Reads the whole file at `path`, at most `limit` bytes. 0, -EFBIG, -ENOENT and other -errno.
 */
int file_read(const char *path, size_t limit, struct bytes *content);

/*
 * As file_read(), for a file that holds a secret: refuses with -EPERM one that is not a regular
 * file, is not owned by this user or root, or that group or others may read or write.
 */
int file_read_secret(const char *path, size_t limit, struct bytes *content);

/* Writes all of it to a file, pipe or socket that blocks. 0 or -errno. */
int file_write_all(int fd, struct span content);

/*
 * Creates or replaces `path` with mode 0600 in one step: after a crash there is the old content or
 * the new one. File and directory are synced. 0 or -errno.
 */
int file_write_secret(const char *path, struct span content);

/* The same for a file that must not exist yet: -EEXIST when another process was faster. */
int file_create_secret(const char *path, struct span content);

/*
 * Makes the directory and its missing parents with mode 0700; one that exists is left as it is. 0
 * or -errno.
 */
int directory_make(const char *path);

/* The same for the directories above `path` only. */
int directory_make_parents(const char *path);

/* Flushes the entries of the directory that `path` is in to disk. 0 or -errno. */
int directory_sync_of(const char *path);

/* `directory`/`name` in newly allocated memory, or NULL when there is none left. */
char *path_join(const char *directory, const char *name);
