/* SPDX-License-Identifier: ISC */
/*
 * Harmless text. Decides per character; does not judge whether text is valid (base/utf8) and does
 * not quote for shells, JSON or SQL.
 */
#include "base/escape.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Room for "<U+2069>": no deceptive character has more than four digits. */
enum { PIECE_MAX = 16 };

/* The harmless form of one character or invalid byte. */
struct piece {
    char text[PIECE_MAX];
    size_t size;
};

static bool is_c0(uint32_t character)
{
    return character < 0x20 || character == 0x7f;
}

/* Characters that move, reorder or hide other text without being ASCII controls. */
static bool is_deceptive(uint32_t character)
{
    return (character >= 0x80 && character <= 0x9f) ||     /* C1 */
           (character >= 0x202a && character <= 0x202e) || /* embeddings and overrides */
           (character >= 0x2066 && character <= 0x2069) || /* isolates */
           character == 0x200e || character == 0x200f || character == 0x061c || /* marks */
           character == 0x2028 || character == 0x2029; /* line and paragraph separator */
}

/* Makes the piece for the start of `text` (size > 0) and returns how many bytes it stands for. */
static size_t piece_make(struct piece *piece, const char *text, size_t size, enum escape_mode mode)
{
    uint32_t character;
    size_t length = utf8_decode(text, size, &character);
    bool kept = mode == ESCAPE_PARAGRAPH && (character == '\n' || character == '\t');
    int written;
    if (length == 0) {
        written = snprintf(piece->text, PIECE_MAX, "\\x%02x", (unsigned)character);
        length = 1;
    } else if (is_c0(character) && !kept) {
        written = snprintf(piece->text, PIECE_MAX, "^%c", (char)(character ^ 0x40));
    } else if (is_deceptive(character)) {
        written = snprintf(piece->text, PIECE_MAX, "<U+%04X>", (unsigned)character);
    } else {
        memcpy(piece->text, text, length);
        written = (int)length;
    }
    piece->size = (size_t)written;
    return length;
}

int escape_append(struct bytes *out, const char *text, size_t size, enum escape_mode mode)
{
    size_t before = out->size;
    struct piece piece;
    while (size > 0) {
        size_t length = piece_make(&piece, text, size, mode);
        if (bytes_append(out, piece.text, piece.size) < 0) {
            out->size = before;
            return -ENOMEM;
        }
        text += length;
        size -= length;
    }
    return 0;
}

void escape_copy(char *out, size_t out_size, const char *text, enum escape_mode mode)
{
    static const char more[] = "...";
    size_t left = strlen(text);
    size_t used = 0;
    size_t cut = 0; /* the last end of a piece behind which `more` fits */
    struct piece piece;
    assert(out_size >= 8);
    while (left > 0) {
        size_t length = piece_make(&piece, text, left, mode);
        if (piece.size > out_size - 1 - used) {
            memcpy(out + cut, more, sizeof more);
            return;
        }
        memcpy(out + used, piece.text, piece.size);
        used += piece.size;
        if (used + sizeof more <= out_size)
            cut = used;
        text += length;
        left -= length;
    }
    out[used] = '\0';
}
