/* SPDX-License-Identifier: ISC */
/*
 * A position in the events of a daemon, kept in a file: durable, and replaced in one step.
 */
#pragma once

#include <jansson.h>

enum { CURSOR_PAST_MAX = 512 }; /* with the NUL */

struct cursor {
    char past[CURSOR_PAST_MAX]; /* by which the daemon tells whether it knows that seq; "": none */
    json_int_t seq;             /* of the last event that is done with */
};

/* 0, -ENOENT when there is no file yet, -EINVAL when it holds no cursor, or another -errno. */
int cursor_read(const char *path, struct cursor *cursor);

/* 0 or -errno. */
int cursor_write(const char *path, const struct cursor *cursor);
