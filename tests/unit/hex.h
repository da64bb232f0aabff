/* SPDX-License-Identifier: ISC */
/*
 * Known answers as people publish them: hexadecimal text that becomes bytes.
 */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"

/* Decodes all of `text` into `data` (at least half as long) and returns the size. */
static inline size_t unhex(const char *text, uint8_t *data)
{
    size_t size = strlen(text) / 2;
    int r = hex_decode(text, data, size);
    assert(r == 0);
    return r == 0 ? size : 0;
}
