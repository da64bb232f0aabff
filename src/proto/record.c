/* SPDX-License-Identifier: ISC */
/*
 * Encoding and walking of records; what they do is the session's matter.
 */
#include "proto/record.h"

int record_append(struct bytes *out, enum record_type type, struct span body)
{
    int r = bytes_reserve(out, RECORD_HEADER_SIZE + body.size);
    if (r == 0)
        r = bytes_append_u32(out, (uint32_t)body.size);
    if (r == 0)
        r = bytes_append_u8(out, (uint8_t)type);
    if (r == 0)
        r = bytes_append(out, body.data, body.size);
    return r;
}

bool record_next(struct reader *reader, struct record *record)
{
    const uint8_t *start = reader->next;
    if (reader->left == 0)
        return false;

    uint32_t size = reader_u32(reader);

    record->type = reader_u8(reader);
    record->body = SPAN(reader_take(reader, size), size);
    record->whole = SPAN(start, RECORD_HEADER_SIZE + (size_t)size);
    return !reader->failed;
}
