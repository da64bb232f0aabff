/* SPDX-License-Identifier: ISC */
/*
 * What goes to standard output: exact bytes for programs, harmless text for terminals, tables.
 *
 * Failed writes are remembered in ctl->out_error; main tells of them.
 */
#pragma once

#include "base/bytes.h"
#include "client/ctl.h"

/* One object on a line of its own (or ended by `end`). On a terminal it is pure ASCII. */
void output_json(struct ctl *ctl, const json_t *object, char end);

/* One line of text for people, made harmless. */
void output_line(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for commands to type, which name our socket as errors do. */
void output_advice(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Bytes as they are. */
void output_bytes(struct ctl *ctl, struct span data);

/*
 * The things of a list for programs: with --json each object, with --quiet only its member `key`.
 * False, and nothing printed, when people want to see them.
 */
bool output_list(struct ctl *ctl, const json_t *list, const char *key);

/* Hands everything over to the system. False after a write failed, now or earlier. */
bool output_flush(struct ctl *ctl);

/* --- tables ----------------------------------------------------------------------------------- */

enum { TABLE_COLUMNS_MAX = 6 };

/* Rows of text cells with a head. All zero with `columns` set is an empty one. */
struct table {
    size_t columns;
    const char *head[TABLE_COLUMNS_MAX];
    char **cells; /* row by row */
    size_t count;
    size_t capacity;
    bool failed; /* out of memory */
};

/* Adds the next cell; a row is full after `columns` of them. */
void table_add(struct table *table, const char *text);
void table_add_number(struct table *table, json_int_t number);

/*
 * Prints it, aligned. What is too wide for the terminal is cut, and ends in "…": the last column
 * first, then the widest. 0 or ctl->status.
 */
int table_print(struct ctl *ctl, const struct table *table);
void table_deinit(struct table *table);
