/* SPDX-License-Identifier: ISC */
/*
 * Words of a shell command that people are told to type.
 *
 * Names and paths in it may come from others, and have blanks, quotes or semicolons.
 */
#pragma once

enum { SHELL_WORD_MAX = 4096 }; /* bytes with the NUL */

struct shell_word {
    char text[SHELL_WORD_MAX];
};

/*
 * The word as a POSIX shell reads it back: as it is if it has nothing but letters, digits and
 * "%+,-./:=@_" (and bytes of UTF-8), else in single quotes. What does not fit gives "''", which
 * names nothing. The result lives to the end of the expression that calls: shell_word(name).text.
 */
struct shell_word shell_word(const char *word);
