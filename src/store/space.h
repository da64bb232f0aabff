/* SPDX-License-Identifier: ISC */
/*
 * Room on the store's disk: watched, and some of it kept in reserve.
 *
 * A write-ahead log needs room even to delete, so on a disk that is quite full nothing could leave
 * the queue any more. Therefore new messages are refused while there is still a little room, and a
 * file of ballast is given up when others take that, too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    SPACE_LOW_BYTES = 8 * 1024 * 1024,  /* less than this is low in any case … */
    SPACE_LOW_SHARE = 8,                /* … but at most one part in so many of a small disk */
    SPACE_LOW_MAX = 1024 * 1024 * 1024, /* more than this never is */
};

struct space;

/* Watches the file system of `directory`; the ballast is kept there. 0 or -errno. */
int space_new(struct space **space, const char *directory);
void space_free(struct space *space);

/* From now on less than so many per cent of the disk are low, within the bounds above. */
void space_set_share(struct space *space, uint64_t percent);

/*
 * Looks at the disk. Gives up the ballast when it is all that is left, and makes it anew when there
 * is room again. `spare` is what the store's file has room for by itself, or still has to grow by
 * (db_spare()): that counts for messages, but not for the write-ahead log. Whether there is room
 * for more than what leaves the queue needs.
 */
bool space_check(struct space *space, int64_t spare);

/* The disk turned out to be full: gives up the ballast. */
void space_relieve(struct space *space);

/* Bytes that are free now. */
uint64_t space_left(struct space *space);
