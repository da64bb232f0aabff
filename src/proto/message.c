/* SPDX-License-Identifier: ISC */
/*
 * Layout of messages and what their content may be. How it is shown harmlessly is decided far
 * above.
 */
#include "proto/message.h"

#include <string.h>

#include "base/utf8.h"
#include "proto/features.h"
#include "proto/file_item.h"
#include "proto/record.h"

static bool is_message(enum session_kind kind)
{
    return kind == SESSION_TEXT || kind == SESSION_HEADERS;
}

static size_t prefix_size(enum session_kind kind)
{
    return is_message(kind) ? MESSAGE_PREFIX_SIZE : ITEM_PREFIX_SIZE;
}

size_t message_record_size(const struct session_item *item)
{
    return RECORD_HEADER_SIZE + prefix_size(item->kind) + item->content.size;
}

uint32_t message_needs(enum session_kind kind)
{
    switch (kind) {
    case SESSION_TEXT:
        return 0;
    case SESSION_HEADERS:
        return FEATURE_HEADERS;
    default:
        return FEATURE_FILES;
    }
}

size_t message_content_max(enum session_kind kind)
{
    switch (kind) {
    case SESSION_TEXT:
        return SESSION_TEXT_MAX;
    case SESSION_HEADERS:
        return MESSAGE_CONTENT_MAX;
    case SESSION_FILE_OFFER:
        return FILE_OFFER_SIZE_MAX;
    default:
        return FILE_STATE_SIZE;
    }
}

int message_append(struct bytes *out, const struct session_item *item)
{
    uint8_t prefix[RECORD_HEADER_SIZE + MESSAGE_PREFIX_SIZE];
    uint8_t *body = prefix + RECORD_HEADER_SIZE;
    const size_t own = prefix_size(item->kind);
    int r = bytes_reserve(out, message_record_size(item));
    put_u32(prefix, (uint32_t)(own + item->content.size));
    prefix[4] = is_message(item->kind) ? RECORD_MESSAGE : (uint8_t)item->kind;
    memcpy(body, item->id.bytes, UUID_SIZE);
    memcpy(body + 16, item->previous.bytes, UUID_SIZE);
    put_u64(body + 32, item->time_ms);
    body[ITEM_PREFIX_SIZE] = (uint8_t)item->kind;
    if (r == 0)
        r = bytes_append(out, prefix, RECORD_HEADER_SIZE + own);
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

/* Reads what all items begin with; the body is long enough for that. */
static void read_prefix(struct span body, struct session_item *item)
{
    memcpy(item->id.bytes, body.data, UUID_SIZE);
    memcpy(item->previous.bytes, body.data + 16, UUID_SIZE);
    item->time_ms = get_u64(body.data + 32);
}

int message_parse(struct span body, uint32_t features, struct session_item *item)
{
    if (body.size < MESSAGE_PREFIX_SIZE)
        return MESSAGE_MALFORMED;
    const uint8_t kind = body.data[ITEM_PREFIX_SIZE];
    read_prefix(body, item);
    item->content = SPAN(body.data + MESSAGE_PREFIX_SIZE, body.size - MESSAGE_PREFIX_SIZE);
    if (uuid_is_zero(&item->id) || !content_legal(kind, item->content, features))
        return MESSAGE_MALFORMED;
    item->kind = (enum session_kind)kind;
    return 0;
}

int item_parse(uint8_t type, struct span body, struct session_item *item)
{
    struct file_offer offer;
    struct file_end end;
    if (body.size < ITEM_PREFIX_SIZE)
        return MESSAGE_MALFORMED;
    read_prefix(body, item);
    item->kind = (enum session_kind)type;
    item->content = SPAN(body.data + ITEM_PREFIX_SIZE, body.size - ITEM_PREFIX_SIZE);
    const int r = type == RECORD_FILE_OFFER ? file_offer_parse(item->content, &offer)
                                            : file_end_parse(item->content, &end);
    return r != 0 || uuid_is_zero(&item->id) ? MESSAGE_MALFORMED : 0;
}
