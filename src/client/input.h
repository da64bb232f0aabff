/* SPDX-License-Identifier: ISC */
/*
 * Messages out of standard input: the whole of it, or one for each line.
 */
#pragma once

#include "base/bytes.h"
#include "base/outcome.h"

enum { INPUT_TEXT_MAX = 65536 }; /* bytes of a message's text, as the protocol has it */

/* What was read and not yet taken. All zero with `fd` set is one at its beginning. */
struct input {
    int fd;
    bool ended;    /* nothing more to read */
    bool skipping; /* inside a line that is too long */
    struct bytes buffer;
    size_t taken;   /* bytes of the buffer that were handed out */
    uint64_t lines; /* handed out or told */
};

enum input_outcome {
    INPUT_NONE = OUTCOME_INPUT, /* no whole line yet: read more */
    INPUT_TOO_LONG, /* a line of more than INPUT_TEXT_MAX bytes, told once and left out */
    INPUT_END,
};

void input_deinit(struct input *input);

/* Reads once, which may block. 0 or -errno. */
int input_read(struct input *input);

/*
 * The next line without its end, LF or CR LF, valid until the next call; the last one may lack it.
 * 0 or an input_outcome.
 */
int input_line(struct input *input, struct span *line);

/*
 * Reads all there is, without one final LF unless `exact`; valid until input_deinit(). 0,
 * INPUT_TOO_LONG or -errno.
 */
int input_all(struct input *input, bool exact, struct span *text);
