/* SPDX-License-Identifier: ISC */
/*
 * Layout of text messages and what a text may be. How it is shown harmlessly is decided far above.
 */
#include "proto/message.h"

#include <string.h>

#include "base/utf8.h"
#include "proto/record.h"

enum { KIND_TEXT = 0 };

int message_append(struct bytes *out, const struct session_item *item)
{
    uint8_t prefix[RECORD_HEADER_SIZE + MESSAGE_PREFIX_SIZE];
    uint8_t *body = prefix + RECORD_HEADER_SIZE;
    int r = bytes_reserve(out, sizeof prefix + item->text.size);
    put_u32(prefix, (uint32_t)(MESSAGE_PREFIX_SIZE + item->text.size));
    prefix[4] = RECORD_MESSAGE;
    memcpy(body, item->id.bytes, UUID_SIZE);
    memcpy(body + 16, item->previous.bytes, UUID_SIZE);
    put_u64(body + 32, item->time_ms);
    body[40] = KIND_TEXT;
    if (r == 0)
        r = bytes_append(out, prefix, sizeof prefix);
    if (r == 0)
        r = bytes_append(out, item->text.data, item->text.size);
    return r;
}

static bool text_legal(struct span text)
{
    return text.size >= 1 && text.size <= SESSION_TEXT_MAX &&
           memchr(text.data, '\0', text.size) == NULL &&
           utf8_valid((const char *)text.data, text.size);
}

int message_parse(struct span body, struct session_item *item)
{
    if (body.size < MESSAGE_PREFIX_SIZE)
        return MESSAGE_MALFORMED;
    memcpy(item->id.bytes, body.data, UUID_SIZE);
    memcpy(item->previous.bytes, body.data + 16, UUID_SIZE);
    item->time_ms = get_u64(body.data + 32);
    item->text = SPAN(body.data + MESSAGE_PREFIX_SIZE, body.size - MESSAGE_PREFIX_SIZE);
    if (uuid_is_zero(&item->id) || body.data[40] != KIND_TEXT || !text_legal(item->text))
        return MESSAGE_MALFORMED;
    return 0;
}
