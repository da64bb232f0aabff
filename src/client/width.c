/* SPDX-License-Identifier: ISC */
/*
 * How much room a text takes on a terminal, as wcwidth(3) has it.
 */
#include "client/width.h"

#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <wchar.h>

#include "base/utf8.h"

enum { TAB = 8 };

/* All our text is UTF-8, whatever the user's locale: only with one does the C library know widths.
 */
static void choose_locale(void)
{
    static bool chosen;
    if (!chosen)
        setlocale(LC_CTYPE, "C.UTF-8");
    chosen = true;
}

size_t width_of_character(wchar_t character)
{
    choose_locale();
    const int width = wcwidth(character);
    return width > 0 ? (size_t)width : 0;
}

/* The character at the start of `text`: its columns, and its length in *length. */
static size_t next(const char *text, size_t size, size_t *length)
{
    uint32_t character;
    *length = utf8_decode(text, size, &character);
    if (*length > 0)
        return character < 0x80 ? character >= 0x20 : width_of_character((wchar_t)character);
    *length = 1;
    return 1;
}

size_t width_of_part(const char *text, size_t size)
{
    size_t columns = 0, length;
    for (; size > 0; text += length, size -= length)
        columns += next(text, size, &length);
    return columns;
}

size_t width_of(const char *text)
{
    return width_of_part(text, strlen(text));
}

size_t width_fitting(const char *text, size_t columns)
{
    const size_t size = strlen(text);
    size_t used = 0, at = 0, length;
    while (at < size) {
        used += next(text + at, size - at, &length);
        if (used > columns)
            break;
        at += length;
    }
    return at;
}

size_t width_rows(const char *text, size_t size, size_t columns)
{
    size_t rows = 1, column = 0, length;
    if (size > 0 && text[size - 1] == '\n')
        size--;
    for (size_t at = 0; at < size; at += length) {
        const size_t width = next(text + at, size - at, &length);
        if (text[at] == '\n') {
            rows++;
            column = 0;
        } else if (text[at] == '\t') {
            column = (column / TAB + 1) * TAB < columns ? (column / TAB + 1) * TAB : columns - 1;
        } else if (column + width > columns) {
            rows++;
            column = width;
        } else {
            column += width;
        }
    }
    return rows;
}
