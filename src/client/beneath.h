/* SPDX-License-Identifier: ISC */
/*
 * Opening what lies below a directory, and nothing else: no symlink is followed, whoever puts one
 * there while we look.
 */
#pragma once

#include <sys/types.h>

enum { BENEATH_DEPTH_MAX = 64, BENEATH_PATH_MAX = 4096 };

/*
 * open() of a path of components joined by "/", below the directory `fd`. A descriptor (close on
 * exec) or -errno: -ELOOP or -ENOTDIR when a symlink is in the way.
 */
int beneath_open(int fd, const char *path, int flags, mode_t mode);

/*
 * The directory that a path is in, for calls that take one component: *name is the last one of
 * `path`. A descriptor or -errno.
 */
int beneath_parent(int fd, const char *path, const char **name);
