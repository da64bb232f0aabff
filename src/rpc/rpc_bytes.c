/* SPDX-License-Identifier: ISC */
/*
 * Bytes in JSON and back.
 */
#include "rpc/rpc_bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

/* What is left of a string without its padding. */
static size_t unpadded(const char *text, size_t size)
{
    if (size % 4 != 0)
        return size;
    for (int i = 0; i < 2 && size > 0 && text[size - 1] == '='; i++)
        size--;
    return size;
}

json_t *rpc_bytes_make(struct span data)
{
    const size_t length = BASE64_LENGTH(data.size), padded = (data.size + 2) / 3 * 4;
    char *text = malloc(padded + 1);
    if (text == NULL)
        return NULL;
    base64_encode(BASE64_STANDARD, data.data, data.size, text);
    memset(text + length, '=', padded - length);
    json_t *value = json_stringn_nocheck(text, padded);
    free(text);
    return value;
}

int rpc_bytes_read(const json_t *text, struct bytes *data)
{
    const char *encoded = json_string_value(text);
    const size_t length = unpadded(encoded, json_string_length(text));
    const size_t size = length * 3 / 4, before = data->size;
    if (length == 0)
        return 0;
    int r = bytes_append_zeros(data, size);
    if (r < 0)
        return r;
    if (BASE64_LENGTH(size) == length &&
        base64_decode(BASE64_STANDARD, encoded, length, data->data + before, size) == 0)
        return 0;
    data->size = before;
    return -EINVAL;
}
