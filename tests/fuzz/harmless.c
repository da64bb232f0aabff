/* SPDX-License-Identifier: ISC */
/*
 * Judged as the C library decodes UTF-8, by a table of what may not be there.
 */
#include "fuzz/harmless.h"

#include <locale.h>
#include <stdlib.h>
#include <wchar.h>

#include "fuzz/fuzz.h"

static const struct {
    wchar_t first, last;
} forbidden[] = {
    {0x00, 0x08},     {0x0b, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},
    {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}, {0x110000, WCHAR_MAX},
};

static bool is_forbidden(wchar_t character)
{
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        if (character >= forbidden[i].first && character <= forbidden[i].last)
            return true;
    return false;
}

bool harmless(const char *text, size_t size)
{
    mbstate_t state = {0};
    wchar_t character;
    assert(setlocale(LC_CTYPE, "C.UTF-8") != NULL);
    while (size > 0) {
        size_t length = mbrtowc(&character, text, size, &state);
        if (length == 0 || length > size || is_forbidden(character))
            return false;
        text += length;
        size -= length;
    }
    return true;
}
