/* SPDX-License-Identifier: ISC */
/*
 * Strict UTF-8. Says what is valid; what is harmless is for base/escape to say.
 */
#include "base/utf8.h"

#include <string.h>

/* One row per length: what the first byte looks like and the smallest character that needs it. */
static const struct utf8_form {
    uint8_t mask;
    uint8_t lead;
    uint32_t smallest;
} UTF8_FORMS[] = {
    {0x80, 0x00, 0x0000},
    {0xe0, 0xc0, 0x0080},
    {0xf0, 0xe0, 0x0800},
    {0xf8, 0xf0, 0x10000},
};

static const struct utf8_form *utf8_form_of(uint8_t lead, size_t *length)
{
    for (size_t i = 0; i < sizeof UTF8_FORMS / sizeof UTF8_FORMS[0]; i++) {
        if ((lead & UTF8_FORMS[i].mask) == UTF8_FORMS[i].lead) {
            *length = i + 1;
            return &UTF8_FORMS[i];
        }
    }
    return NULL;
}

static bool utf8_is_scalar(uint32_t value)
{
    return value <= 0x10ffff && !(value >= 0xd800 && value <= 0xdfff);
}

size_t utf8_decode(const char *text, size_t size, uint32_t *character)
{
    const uint8_t *at = (const uint8_t *)text;
    const struct utf8_form *form;
    size_t length;
    uint32_t value;
    *character = at[0];
    form = utf8_form_of(at[0], &length);
    if (form == NULL || length > size)
        return 0;
    value = at[0] & (uint8_t)~form->mask;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3f);
    }
    if (value < form->smallest || !utf8_is_scalar(value))
        return 0;
    *character = value;
    return length;
}

/* How many bytes in whole words are ASCII: most of most texts, and much faster to pass over. */
static size_t utf8_ascii_words(const char *text, size_t size)
{
    uint64_t word;
    size_t passed = 0;
    while (size - passed >= sizeof word) {
        memcpy(&word, text + passed, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
        passed += sizeof word;
    }
    return passed;
}

bool utf8_valid(const char *text, size_t size)
{
    uint32_t character;
    while (size > 0) {
        size_t length = utf8_ascii_words(text, size);
        if (length == 0)
            length = utf8_decode(text, size, &character);
        if (length == 0)
            return false;
        text += length;
        size -= length;
    }
    return true;
}
