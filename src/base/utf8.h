/* SPDX-License-Identifier: ISC */
/*
 * UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether all of `text` is valid. NUL is a valid character here. */
bool utf8_valid(const char *text, size_t size);

/*
 * Decodes the character at the start of `text` (size > 0) and returns its length in bytes; an
 * invalid byte returns 0 and leaves *character as that byte.
 */
size_t utf8_decode(const char *text, size_t size, uint32_t *character);
