/* SPDX-License-Identifier: ISC */
/*
 * How much room a text takes on a terminal. For harmless text: control characters take none.
 */
#pragma once

#include <stddef.h>

/* Columns of one line of UTF-8; wide characters take two, combining ones none. */
size_t width_of(const char *text);

/* The same for the first `size` bytes. */
size_t width_of_part(const char *text, size_t size);

/* Bytes at the beginning of one line that fit in `columns`. */
size_t width_fitting(const char *text, size_t columns);

/* Rows that the lines of `text` take on a terminal with `columns` of them; a final LF adds none. */
size_t width_rows(const char *text, size_t size, size_t columns);

/* Columns of one character; 0 for what is not printed. */
size_t width_of_character(wchar_t character);
