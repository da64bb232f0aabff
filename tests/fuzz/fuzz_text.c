/* SPDX-License-Identifier: ISC */
/*
 * Text from others: what is shown is harmless, only what is not harmless is changed, and the room
 * it takes is counted the same in pieces as in one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/utf8.h"
#include "client/width.h"
#include "fuzz/fuzz.h"
#include "fuzz/harmless.h"

/* A piece is at most "<U+202E>" for what has three bytes, "^[" or "\xff" for what has one. */
enum { GROWTH_MAX = 4, COPY_MAX = 64 };

static bool same(const struct bytes *one, const char *other, size_t size)
{
    return one->size == size && (size == 0 || memcmp(one->data, other, size) == 0);
}

static void show(const char *text, size_t size, enum escape_mode mode)
{
    CLEANUP(bytes_deinit) struct bytes shown = {0}, again = {0};
    assert(escape_append(&shown, text, size, mode) == 0);
    const char *result = (const char *)shown.data;
    assert(harmless(result, shown.size) && shown.size <= GROWTH_MAX * size);
    if (mode == ESCAPE_LINE && shown.size > 0)
        assert(memchr(result, '\n', shown.size) == NULL &&
               memchr(result, '\t', shown.size) == NULL);
    if (mode == ESCAPE_PARAGRAPH)
        assert(same(&shown, text, size) == harmless(text, size));
    assert(escape_append(&again, result, shown.size, mode) == 0);
    assert(same(&again, result, shown.size));
}

/* The copy is the whole, or its beginning and dots. */
static void copy(const char *text, size_t room)
{
    CLEANUP(bytes_deinit) struct bytes shown = {0};
    char out[COPY_MAX];
    memset(out, 'x', sizeof out);
    escape_copy(out, room, text, ESCAPE_LINE);
    assert(escape_append(&shown, text, strlen(text), ESCAPE_LINE) == 0);
    assert(memchr(out, '\0', room) != NULL && (room == sizeof out || out[room] == 'x'));
    if (same(&shown, out, strlen(out)))
        return;
    assert(shown.size >= room && harmless(out, strlen(out)));
    size_t kept = strlen(out) - strlen("...");
    assert(strcmp(out + kept, "...") == 0 && memcmp(out, shown.data, kept) == 0);
}

static void decode(const char *text, size_t size)
{
    bool valid = true;
    for (size_t at = 0, length; at < size; at += length) {
        uint32_t character;
        length = utf8_decode(text + at, size - at, &character);
        assert(length <= 4 && length <= size - at);
        assert(length > 0 || character == (uint8_t)text[at]);
        valid = valid && length > 0;
        length += length == 0;
    }
    assert(valid == utf8_valid(text, size));
}

static void measure(const char *text, size_t columns)
{
    size_t fitting = width_fitting(text, columns);
    size_t whole = width_of(text);
    assert(fitting <= strlen(text) && width_of_part(text, fitting) <= columns);
    assert(whole == width_of_part(text, fitting) + width_of(text + fitting));
    assert(whole > columns || fitting == strlen(text));
    assert(width_rows(text, strlen(text), columns + 1) >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(cleanup_free) char *text = strndup(size > 0 ? (const char *)data : "", size);
    assert(text != NULL);
    decode((const char *)data, size);
    show((const char *)data, size, ESCAPE_LINE);
    show((const char *)data, size, ESCAPE_PARAGRAPH);
    copy(text, 8 + size % (COPY_MAX - 8 + 1));
    measure(text, size % 100);
    return 0;
}
