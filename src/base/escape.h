/* SPDX-License-Identifier: ISC */
/*
 * Makes text from others harmless before people see it on a terminal or in a log.
 *
 * Control characters, DEL, C1 controls, bidirectional overrides and isolates (U+202A..U+202E,
 * U+2066..U+2069, U+200E, U+200F, U+061C), line and paragraph separators and invalid bytes become
 * visible: "^[" for C0, "<U+202E>" for characters, "\xff" for bytes.
 */
#pragma once

#include "base/bytes.h"

enum escape_mode {
    ESCAPE_LINE,      /* everything on one line: LF and TAB become visible too */
    ESCAPE_PARAGRAPH, /* LF and TAB stay */
};

/* Appends the harmless form of `text`. 0 or -ENOMEM. */
int escape_append(struct bytes *out, const char *text, size_t size, enum escape_mode mode);

/* The same into a fixed buffer, always terminated; what does not fit ends in "...". size >= 8. */
void escape_copy(char *out, size_t out_size, const char *text, enum escape_mode mode);
