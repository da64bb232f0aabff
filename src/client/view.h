/* SPDX-License-Identifier: ISC */
/*
 * How messages and events look: for people on a line (short) or with everything that is known
 * (verbose), the text alone (cat), or the whole object (json). And how times look.
 */
#pragma once

#include "base/bytes.h"
#include "client/ctl.h"

enum view_format { VIEW_SHORT, VIEW_VERBOSE, VIEW_CAT, VIEW_JSON };

struct view {
    enum view_format format;
    char end; /* what ends each one: LF or NUL */
};

/* Reads "short", "verbose", "cat" or "json". 0 or OPTIONS_STOP after telling. */
int view_parse(struct ctl *ctl, const char *text, enum view_format *format);

/* Prints a message as history has it, or an event as `follow` has it. False if it has no such view.
 */
bool view_message(struct ctl *ctl, const struct view *view, const json_t *message);
bool view_event(struct ctl *ctl, const struct view *view, const json_t *event);

/* Prints the body of a message alone, as VIEW_CAT does but without an end; nothing of one without.
 */
void view_body(struct ctl *ctl, const json_t *message);

/*
 * Appends the short form of either without its end: local time, peer and text, further lines
 * indented. Always harmless. 0 or -ENOMEM.
 */
typedef int view_short(struct bytes *out, const json_t *object, bool colour);
view_short view_short_message, view_short_event;

/*
 * What follows the name of a peer in a message or in what was answered about one: " (unverified)"
 * if nobody has compared its key, so that somebody may be in between; else "".
 */
const char *view_trust_mark(const json_t *object);

/* Says once, to who looks on, how to verify that peer. */
void view_advise(struct ctl *ctl, const json_t *object);
/* What an event about files means, for people: see view_short_event(). 0 or -ENOMEM. */
int view_file_event(struct bytes *out, const json_t *event);

/* What a `follow.gap` means, for people. */
enum { VIEW_GAP_MAX = 160 };
void view_gap(const json_t *event, char text[static VIEW_GAP_MAX]);

/* An RFC 3339 time as local "2026-11-22 20:51:03"; "-" if it is none. */
enum { VIEW_TIME_MAX = 32 };
void view_time(const char *text, char local[static VIEW_TIME_MAX]);

/* "3 d 2 h", "5 min 0 s", "12 s": the two largest units. */
enum { VIEW_DURATION_MAX = 32 };
void view_duration(json_int_t seconds, char text[static VIEW_DURATION_MAX]);

/* "512 B", "1.5 KiB", "20.0 GiB". */
enum { VIEW_SIZE_MAX = 32 };
void view_size(json_int_t bytes, char text[static VIEW_SIZE_MAX]);

/* The strings of an array, as "web, db", in new memory. NULL without memory. */
char *view_join(const json_t *strings);
