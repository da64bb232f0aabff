/* SPDX-License-Identifier: ISC */
/*
 * What a chat has on the screen above its edit line: messages with their marks, days, notes.
 *
 * A mark tells how far an own message is, and is changed in place as long as it is on the screen.
 * Everything is printed while the edit line is hidden: from the beginning of a row on.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "base/hint.h"

enum { TRANSCRIPT_ID_MAX = 40, TRANSCRIPT_ENTRIES_MAX = 100 };

/* A message or a note, as it was printed. */
struct transcript_entry {
    char id[TRANSCRIPT_ID_MAX]; /* of an own message that is not delivered yet, else empty */
    char state[12];             /* of an own message, else empty */
    char time[6];               /* "20:51", of a message */
    char *text;                 /* harmless, from behind the mark to its final LF */
    size_t row;                 /* where it begins, counted from the first that was printed */
    bool placed;                /* the screen has not been cleared since */
};

/* All zero with `out` set is an empty one, for a terminal with no size yet. */
struct transcript {
    FILE *out;
    bool colour;
    struct hint_reader reader; /* of commands in notes */
    size_t columns, rows;      /* of the terminal */
    int day;                   /* of the last message: no two days have the same; 0: none yet */
    size_t printed;            /* rows */
    size_t slack;              /* rows that the end may be above the lowest place for it */
    size_t unseen; /* messages delivered since they have left the screen; not told yet */
    struct transcript_entry entries[TRANSCRIPT_ENTRIES_MAX]; /* the last ones, in a ring */
    size_t count;
};

void transcript_deinit(struct transcript *transcript);

/*
 * The terminal has another size, and what was on it may be anywhere: clears it, and prints again
 * what fits above an edit line of `line_rows`.
 */
void transcript_resize(struct transcript *transcript, size_t columns, size_t rows,
                       size_t line_rows);

/* The edit line, which is about to be hidden, took so many rows. */
void transcript_line_took(struct transcript *transcript, size_t rows);

/* A message, as history has it. */
void transcript_message(struct transcript *transcript, const json_t *message);

/* A message's new state: changes its mark, or says it in a line of its own: at once if the message
 * will not be delivered, else with transcript_settle(). */
void transcript_state(struct transcript *transcript, const char *id, const char *state,
                      const char *reason);

/* Says what was delivered of the messages that have left the screen. */
void transcript_settle(struct transcript *transcript);

/* A line about something else; made harmless. */
void transcript_note(struct transcript *transcript, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
