/* SPDX-License-Identifier: ISC */
/*
 * Words of a line.
 */
#include "client/words.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Takes one word off the line, which it overwrites. False for a quote without its end. */
static bool take_word(char **line)
{
    char *from = *line, *to = *line, quote = '\0';
    for (; *from != '\0' && (quote != '\0' || strchr(" \t\n", *from) == NULL); from++) {
        if (quote == '\0' && (*from == '\'' || *from == '"'))
            quote = *from;
        else if (*from == quote)
            quote = '\0';
        else if (*from == '\\' && quote != '\'' && from[1] != '\0')
            *to++ = *++from;
        else
            *to++ = *from;
    }
    *line = *from == '\0' ? from : from + 1;
    *to = '\0';
    return quote == '\0';
}

int words_split(char *line, char *words[static WORDS_MAX])
{
    int count = 0;
    for (;;) {
        line += strspn(line, " \t\n");
        if (*line == '\0' || *line == '#')
            break;
        if (count == WORDS_MAX - 1)
            return -E2BIG;
        words[count++] = line;
        if (!take_word(&line))
            return -EINVAL;
    }
    words[count] = NULL;
    return count;
}
