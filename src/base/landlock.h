/* SPDX-License-Identifier: ISC */
/*
 * Landlock: a process gives up access to files for good, but for those below some directories. Of
 * the rights those of its first version (Linux 5.13) are used.
 */
#pragma once

#include <linux/landlock.h>
#include <stdint.h>

enum {
    LANDLOCK_READ = LANDLOCK_ACCESS_FS_READ_FILE,
    LANDLOCK_REMOVE = LANDLOCK_ACCESS_FS_REMOVE_FILE,
    /* What a program does with files of its own. */
    LANDLOCK_KEEP = LANDLOCK_READ | LANDLOCK_REMOVE | LANDLOCK_ACCESS_FS_READ_DIR |
                    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG,
    LANDLOCK_EVERYTHING =
        LANDLOCK_KEEP | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
        LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK |
        LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
};

/* Rules by which nothing is allowed: a descriptor, or -errno (-ENOSYS or -EOPNOTSUPP: no Landlock).
 */
int landlock_begin(void);

/* Allows this access to a file that is open, or to all below a directory. 0 or -errno. */
int landlock_allow(int rules, int fd, uint64_t access);

/* From here on they hold, for this thread and its children. 0 or -errno; no privileges are gained
 * any more either way. */
int landlock_enter(int rules);
