/* SPDX-License-Identifier: ISC */
/*
 * The edit line at the bottom of a terminal, by libedit, which is loaded when an editor is made.
 *
 * While the user types, whoever reads may print above the line: hide it, print whole lines, show it
 * again. The editor takes SIGINT, SIGTSTP, SIGTERM, SIGHUP and SIGWINCH as long as it lives.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/outcome.h"

struct editor;

struct editor_owner {
    /*
     * Called when nothing typed is left: waits until `typed` can be read, and does meanwhile what
     * there is to do. False ends the reading.
     */
    bool (*wait)(void *context, struct pollfd *typed);
    void (*interrupted)(void *context); /* ^C: what was typed is gone; another one ends */
    void (*resized)(void *context); /* the screen is in disorder: to be cleared and filled again */
};

enum editor_outcome {
    EDITOR_END = OUTCOME_EDITOR, /* ^D, the second ^C, a signal, or the owner wants no more */
};

/*
 * Makes an editor on two terminals. 0; -ELIBACC: there is no libedit; or -errno. The owner and its
 * context outlive it.
 */
int editor_new(struct editor **editor, FILE *in, FILE *out, const struct editor_owner *owner,
               void *context);
void editor_free(struct editor *editor);

/* What stands before the line, from the next editor_show() or editor_read() on. Harmless text. */
void editor_set_prompt(struct editor *editor, const char *prompt);

/*
 * Reads a line, which may have been pasted and then has LFs within. It is gone from the screen, and
 * in `text` without a final LF. 0, EDITOR_END or -ENOMEM.
 */
int editor_read(struct editor *editor, struct bytes *text);

/* Takes the line off the screen: the cursor is at the beginning of the row where it began. */
void editor_hide(struct editor *editor);
void editor_show(struct editor *editor);

/* The most rows that the line has taken since this was asked last. */
size_t editor_tallest(struct editor *editor);

/* The terminal's size; never 0. */
size_t editor_columns(const struct editor *editor);
size_t editor_rows(const struct editor *editor);
