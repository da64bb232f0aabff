/* SPDX-License-Identifier: ISC */
/*
 * Commands as their reader has to type them. Texts are short, so each command looks back at what
 * precedes it.
 */
#include "base/hint.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "base/shell.h"

static const char program[] = "p2pchatctl ";

enum { PROGRAM_SIZE = sizeof program - 1 };

/* What only an administrator of the daemon may do, by methods.def; or root, to the system. */
static const char *const administration[] = {
    "p2pchatctl invite",
    "p2pchatctl join",
    "p2pchatctl pair",
    "p2pchatctl purge",
    "p2pchatctl peer add",
    "p2pchatctl peer rename",
    "p2pchatctl peer set",
    "p2pchatctl peer remove",
    "p2pchatctl peer verify",
    "p2pchatctl peer block",
    "p2pchatctl peer accept",
    "p2pchatctl peer unblock",
    "p2pchatctl peer reject",
    "systemctl restart",
    "systemctl edit",
    "systemctl mask",
    "chmod",
    NULL,
};

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

/* Whether a word of the sentence begins here. */
static bool is_word(const char *text, const char *at)
{
    return at == text || at[-1] == ' ' || at[-1] == '(';
}

static bool is_program(const char *at)
{
    const char *verb = at + PROGRAM_SIZE;
    return begins(at, program) && islower((unsigned char)*verb) && !begins(verb, "help");
}

/* Whether these are the first words at `at`. */
static bool are_words(const char *at, const char *words)
{
    const size_t size = strlen(words);
    return strncmp(at, words, size) == 0 && !isalnum((unsigned char)at[size]) && at[size] != '-';
}

static bool needs_root(const char *text, const char *at, const struct hint_reader *reader)
{
    static const char sudo[] = "sudo ";
    const size_t size = sizeof sudo - 1;
    bool needs = are_words(at, "chown");
    for (size_t i = 0; !reader->own && !needs && administration[i] != NULL; i++)
        needs = are_words(at, administration[i]);
    return needs && reader->sudo &&
           !((size_t)(at - text) >= size && memcmp(at - size, sudo, size) == 0);
}

static int append_text(struct bytes *out, const char *text)
{
    return bytes_append(out, text, strlen(text));
}

int hint_append(struct bytes *out, const char *text, const struct hint_reader *reader)
{
    const char *from = text;
    int r = 0;
    for (const char *at = text; reader != NULL && r == 0 && *at != '\0'; at++) {
        if (!is_word(text, at))
            continue;
        const bool root = needs_root(text, at, reader);
        const bool named = reader->socket != NULL && is_program(at);
        if ((!root && !named) || is_there(text, at))
            continue;
        r = bytes_append(out, from, (size_t)(at - from));
        from = at;
        if (r == 0 && root)
            r = append_text(out, "sudo ");
        if (r != 0 || !named)
            continue;
        const struct shell_word word = shell_word(reader->socket);
        from = at + PROGRAM_SIZE;
        r = append_text(out, program);
        if (r == 0)
            r = append_text(out, "-s ");
        if (r == 0)
            r = append_text(out, word.text);
        if (r == 0)
            r = append_text(out, " ");
    }
    return r == 0 ? append_text(out, from) : r;
}

bool hint_has_sudo(void)
{
    return geteuid() != 0 && access("/usr/bin/sudo", X_OK) == 0;
}
