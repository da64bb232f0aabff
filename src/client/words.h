/* SPDX-License-Identifier: ISC */
/*
 * A line in words, as a shell would see them: spaces divide, '…' and "…" keep together, \ takes the
 * next character as it is (also in "…"), and # at the beginning of a word begins a comment.
 */
#pragma once

enum { WORDS_MAX = 256 };

/*
 * Cuts the line in its place; words[count] is NULL. The number of words, or -EINVAL for a quote
 * without its end, -E2BIG for more than WORDS_MAX - 1.
 */
int words_split(char *line, char *words[static WORDS_MAX]);
