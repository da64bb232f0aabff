/* SPDX-License-Identifier: ISC */
/*
 * Quoting for a POSIX shell. Single quotes keep everything but a single quote.
 */
#include "base/shell.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static const char nothing[] = "''";

static bool is_plain(const char *word)
{
    for (const char *at = word; *at != '\0'; at++) {
        const unsigned char byte = (unsigned char)*at;
        if (byte < 0x80 && !isalnum(byte) && strchr("%+,-./:=@_", byte) == NULL)
            return false;
    }
    return word[0] != '\0';
}

struct shell_word shell_word(const char *word)
{
    struct shell_word quoted = {.text = "'"};
    size_t size = 1;
    if (strlen(word) < sizeof quoted.text && is_plain(word)) {
        memcpy(quoted.text, word, strlen(word) + 1);
        return quoted;
    }
    for (; *word != '\0'; word++) {
        const char *piece = *word == '\'' ? "'\\''" : (const char[]){*word, '\0'};
        const size_t length = strlen(piece);
        if (size + length + 2 > sizeof quoted.text) {
            memcpy(quoted.text, nothing, sizeof nothing);
            return quoted;
        }
        memcpy(quoted.text + size, piece, length);
        size += length;
    }
    memcpy(quoted.text + size, "'", 2);
    return quoted;
}
