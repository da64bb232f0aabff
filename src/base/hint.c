/* SPDX-License-Identifier: ISC */
/*
 * Naming the socket in commands. Texts are short, so each command looks back at what precedes it.
 */
#include "base/hint.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/shell.h"

static const char program[] = "p2pchatctl ";

enum { PROGRAM_SIZE = sizeof program - 1 };

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Whether the part of the sentence that ends at `at` leads to the peer's machine. */
static bool is_there(const char *text, const char *at)
{
    bool there = false;
    for (; text < at; text++) {
        if (begins(text, "there: ") || begins(text, "there ("))
            there = true;
        else if (*text == ';' || *text == ')' || *text == '?')
            there = false;
    }
    return there;
}

static bool is_for_us(const char *text, const char *at)
{
    const char *verb = at + PROGRAM_SIZE;
    const bool whole = at == text || at[-1] == ' ' || at[-1] == '(';
    return whole && islower((unsigned char)*verb) && !begins(verb, "help") && !is_there(text, at);
}

int hint_append(struct bytes *out, const char *text, const char *socket)
{
    const char *from = text, *at = text;
    int r = 0;
    while (socket != NULL && r == 0 && (at = strstr(at, program)) != NULL) {
        const bool ours = is_for_us(text, at);
        at += PROGRAM_SIZE;
        if (!ours)
            continue;
        const struct shell_word word = shell_word(socket);
        r = bytes_append(out, from, (size_t)(at - from));
        if (r == 0)
            r = bytes_append(out, "-s ", 3);
        if (r == 0)
            r = bytes_append(out, word.text, strlen(word.text));
        if (r == 0)
            r = bytes_append_u8(out, ' ');
        from = at;
    }
    return r == 0 ? bytes_append(out, from, strlen(from)) : r;
}
