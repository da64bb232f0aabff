/* SPDX-License-Identifier: ISC */
/*
 * Layout of messages and what their content may be. How it is shown harmlessly is decided far
 * above.
 */
#include "proto/message.h"

#include <string.h>

#include "base/utf8.h"
#include "proto/features.h"
#include "proto/record.h"

int message_append(struct bytes *out, const struct session_item *item)
{
    uint8_t prefix[RECORD_HEADER_SIZE + MESSAGE_PREFIX_SIZE];
    uint8_t *body = prefix + RECORD_HEADER_SIZE;
    int r = bytes_reserve(out, sizeof prefix + item->content.size);
    put_u32(prefix, (uint32_t)(MESSAGE_PREFIX_SIZE + item->content.size));
    prefix[4] = RECORD_MESSAGE;
    memcpy(body, item->id.bytes, UUID_SIZE);
    memcpy(body + 16, item->previous.bytes, UUID_SIZE);
    put_u64(body + 32, item->time_ms);
    body[40] = (uint8_t)item->kind;
    if (r == 0)
        r = bytes_append(out, prefix, sizeof prefix);
    if (r == 0)
        r = bytes_append(out, item->content.data, item->content.size);
    return r;
}

static bool text_legal(struct span text)
{
    return text.size >= 1 && text.size <= SESSION_TEXT_MAX &&
           memchr(text.data, '\0', text.size) == NULL &&
           utf8_valid((const char *)text.data, text.size);
}

static bool content_legal(uint8_t kind, struct span content, uint32_t features)
{
    struct headers headers;
    struct span body;
    switch (kind) {
    case SESSION_TEXT:
        return text_legal(content);
    case SESSION_HEADERS:
        return (features & FEATURE_HEADERS) != 0 &&
               headers_parse(content, features, &headers, &body) == 0;
    default:
        return false;
    }
}

int message_parse(struct span body, uint32_t features, struct session_item *item)
{
    if (body.size < MESSAGE_PREFIX_SIZE)
        return MESSAGE_MALFORMED;
    const uint8_t kind = body.data[40];
    memcpy(item->id.bytes, body.data, UUID_SIZE);
    memcpy(item->previous.bytes, body.data + 16, UUID_SIZE);
    item->time_ms = get_u64(body.data + 32);
    item->content = SPAN(body.data + MESSAGE_PREFIX_SIZE, body.size - MESSAGE_PREFIX_SIZE);
    if (uuid_is_zero(&item->id) || !content_legal(kind, item->content, features))
        return MESSAGE_MALFORMED;
    item->kind = (enum session_kind)kind;
    return 0;
}
