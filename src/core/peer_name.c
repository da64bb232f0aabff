/* SPDX-License-Identifier: ISC */
/*
 * The rules for names. No tables of Unicode beyond what has no looks of its own.
 */
#include "core/peer_name.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/utf8.h"
#include "store/peers.h"

struct range {
    uint32_t first, last;
};

/* Default_Ignorable_Code_Point of Unicode 15 (DerivedCoreProperties.txt), ranges joined. */
static const struct range invisible[] = {
    {0x00ad, 0x00ad},   {0x034f, 0x034f},   {0x061c, 0x061c}, {0x115f, 0x1160}, {0x17b4, 0x17b5},
    {0x180b, 0x180f},   {0x200b, 0x200f},   {0x202a, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},
    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

/* Blocks of combining marks: at the beginning they would join what is printed before the name. */
static const struct range combining[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x064b, 0x065f},
    {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe20, 0xfe2f},
};

static bool among(uint32_t character, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

/* Whether each character has looks of its own; counts them. */
static bool is_visible(const char *name, size_t size, size_t *characters)
{
    for (size_t at = 0; at < size; ++*characters) {
        uint32_t character;
        at += utf8_decode(name + at, size - at, &character);
        if (among(character, invisible, sizeof invisible / sizeof invisible[0]))
            return false;
        if (*characters == 0 && among(character, combining, sizeof combining / sizeof combining[0]))
            return false;
    }
    return true;
}

bool peer_name_valid(const char *name)
{
    const size_t size = strlen(name);
    size_t characters = 0;
    if (size == 0 || size >= PEER_NAME_MAX || name[0] == '-' || !utf8_valid(name, size) ||
        strpbrk(name, " /:") != NULL || !is_visible(name, size, &characters) ||
        characters > PEER_NAME_CHARACTERS)
        return false;
    /* What had to be made harmless for a terminal is no name. */
    CLEANUP(bytes_deinit) struct bytes harmless = {0};
    return escape_append(&harmless, name, size, ESCAPE_LINE) == 0 && harmless.size == size &&
           memcmp(harmless.data, name, size) == 0;
}

bool peer_name_modest(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return isalnum((unsigned char)name[0]) != 0 && name[strspn(name, allowed)] == '\0' &&
           peer_name_valid(name);
}

/* Writes what the name looks like: one letter for all that look alike, nothing for separators. */
static void skeleton(const char *name, char out[static PEER_NAME_MAX])
{
    static const char alike[][2] = {{'0', 'o'}, {'1', 'l'}, {'i', 'l'}, {'5', 's'}};
    size_t size = 0;
    for (; *name != '\0'; name++) {
        char letter = (char)tolower((unsigned char)*name);
        if (strchr("._-", letter) != NULL)
            continue;
        for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++)
            letter = letter == alike[i][0] ? alike[i][1] : letter;
        if (letter == 'n' && size > 0 && out[size - 1] == 'r')
            out[size - 1] = 'm';
        else if (letter == 'v' && size > 0 && out[size - 1] == 'v')
            out[size - 1] = 'w';
        else
            out[size++] = letter;
    }
    out[size] = '\0';
}

bool peer_name_resembles(const char *name, const char *other)
{
    char one[PEER_NAME_MAX], two[PEER_NAME_MAX];
    skeleton(name, one);
    skeleton(other, two);
    return strcmp(one, two) == 0;
}
