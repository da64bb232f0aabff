/* SPDX-License-Identifier: ISC */
/*
 * Encoding, reading and judging headers. What is done because of them is not known here.
 */
#include "proto/headers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "proto/features.h"
#include "proto/service_name.h"

enum tag {
    TAG_TYPE = 0x01,
    TAG_TOPIC = 0x02,
    TAG_KEY = 0x03,
    TAG_REPLY_TO = 0x04,
    TAG_PRIORITY = 0x05,
    TAG_FORGET = 0x06,
    TAG_ASK = 0x10,
    TAG_REPORT = 0x11,
    TAG_RESULT = 0x12,
    TAG_CANCEL = 0x13,
    TAG_USER = 0x7f,
};

enum { HEAD_SIZE = 3 }; /* tag and size of a header */

void headers_init(struct headers *headers)
{
    *headers = (struct headers){.priority = PRIORITY_NORMAL};
}

/* --- what they may be ------------------------------------------------------------------------- */

static bool is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

/* Whether it is one line of text, which can stand in an environment and in a log. */
static bool is_line(struct span text, size_t least, size_t most)
{
    if (text.size < least || text.size > most)
        return false;
    for (size_t at = 0; at < text.size;) {
        uint32_t character;
        const size_t length = utf8_decode((const char *)text.data + at, text.size - at, &character);
        if (length == 0 || is_control(character))
            return false;
        at += length;
    }
    return true;
}

static bool type_legal(struct span type)
{
    if (type.size < 3 || type.size > HEADERS_TYPE_MAX)
        return false;
    for (size_t i = 0; i < type.size; i++)
        if (type.data[i] < 0x20 || type.data[i] > 0x7e)
            return false;
    return memchr(type.data + 1, '/', type.size - 2) != NULL && type.data[0] != '/' &&
           type.data[type.size - 1] != '/';
}

static bool topic_legal(struct span topic)
{
    return is_line(topic, 1, HEADERS_TOPIC_MAX) && memchr(topic.data, '#', topic.size) == NULL &&
           memchr(topic.data, '+', topic.size) == NULL;
}

static bool is_lower(uint8_t character)
{
    return character >= 'a' && character <= 'z';
}

static bool is_digit(uint8_t character)
{
    return character >= '0' && character <= '9';
}

static bool user_name_legal(struct span name)
{
    if (name.size < 1 || name.size > HEADERS_NAME_MAX || !is_lower(name.data[0]))
        return false;
    for (size_t i = 1; i < name.size; i++)
        if (!is_lower(name.data[i]) && !is_digit(name.data[i]) && name.data[i] != '-')
            return false;
    return true;
}

static int compare(struct span a, struct span b)
{
    const int r = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return r != 0 ? r : (a.size > b.size) - (a.size < b.size);
}

static size_t user_size(const struct headers_user *user)
{
    return HEAD_SIZE + 1 + user->name.size + user->value.size;
}

static bool users_legal(const struct headers *headers)
{
    size_t size = 0;
    for (unsigned i = 0; i < headers->user_count; i++) {
        const struct headers_user *user = &headers->users[i];
        size += user_size(user);
        if (!user_name_legal(user->name) || !is_line(user->value, 0, HEADERS_VALUE_MAX) ||
            (i > 0 && compare(headers->users[i - 1].name, user->name) >= 0))
            return false;
    }
    return size <= HEADERS_USERS_SIZE;
}

static bool answers(const struct headers *headers)
{
    return !uuid_is_zero(&headers->reply_to);
}

/* A message that takes back another one says nothing else. */
static bool cancel_legal(const struct headers *headers, size_t body_size)
{
    return answers(headers) && body_size == 0 && headers->type.size == 0 &&
           headers->topic.size == 0 && headers->key.size == 0 && headers->forget_s == 0 &&
           headers->user_count == 0;
}

static const char *find_call_flaw(const struct headers *headers, size_t body_size,
                                  uint32_t features)
{
    const bool asks = headers->ask_s > 0;
    const bool moved = headers->key.size > 0 || headers->forget_s > 0;
    const int calls = asks + headers->report + headers->has_result + headers->cancel;
    const char *name = asks                  ? "ask"
                       : headers->has_result ? "result"
                       : headers->cancel     ? "cancel"
                                             : "report";
    if (calls > 1 || (calls > 0 && (features & FEATURE_CALLS) == 0))
        return name;
    if (asks &&
        (headers->ask_s > HEADERS_ASK_S_MAX || !service_name_valid(headers->service) || moved))
        return name;
    if (headers->has_result && (!answers(headers) || moved))
        return name;
    return headers->cancel && !cancel_legal(headers, body_size) ? name : NULL;
}

const char *headers_flaw(const struct headers *headers, size_t body_size, uint32_t features)
{
    if (headers->type.size > 0 && !type_legal(headers->type))
        return "type";
    if (headers->topic.size > 0 && !topic_legal(headers->topic))
        return "topic";
    if (headers->key.size > 0 && !is_line(headers->key, 1, HEADERS_KEY_MAX))
        return "key";
    if (!users_legal(headers))
        return "user";
    return find_call_flaw(headers, body_size, features);
}

static int compare_users(const void *a, const void *b)
{
    const struct headers_user *x = a, *y = b;
    return compare(x->name, y->name);
}

bool headers_sort_users(struct headers *headers)
{
    if (headers->user_count > 1)
        qsort(headers->users, headers->user_count, sizeof headers->users[0], compare_users);
    for (unsigned i = 1; i < headers->user_count; i++)
        if (compare(headers->users[i - 1].name, headers->users[i].name) == 0)
            return false;
    return true;
}

bool headers_empty(const struct headers *headers)
{
    return headers->type.size == 0 && headers->topic.size == 0 && headers->key.size == 0 &&
           !answers(headers) && headers->priority == PRIORITY_NORMAL && headers->forget_s == 0 &&
           headers->ask_s == 0 && !headers->report && !headers->has_result && !headers->cancel &&
           headers->user_count == 0 && headers->unknown_count == 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* A buffer that has room for all that can come. */
struct writer {
    uint8_t data[HEADERS_PREFIX_SIZE + 2 * HEADERS_SIZE_MAX];
    size_t size;
};

static void put(struct writer *writer, const void *data, size_t size)
{
    if (size > 0)
        memcpy(writer->data + writer->size, data, size);
    writer->size += size;
}

static void put_head(struct writer *writer, enum tag tag, size_t size)
{
    uint8_t head[HEAD_SIZE] = {(uint8_t)tag};
    put_u16(head + 1, (uint16_t)size);
    put(writer, head, sizeof head);
}

static void put_value(struct writer *writer, enum tag tag, const void *value, size_t size)
{
    put_head(writer, tag, size);
    put(writer, value, size);
}

static void put_text(struct writer *writer, enum tag tag, struct span text)
{
    if (text.size > 0)
        put_value(writer, tag, text.data, text.size);
}

static void put_calls(struct writer *writer, const struct headers *headers)
{
    uint8_t seconds[4];
    const uint8_t result[] = {headers->outcome, headers->status};
    put_u32(seconds, headers->ask_s);
    if (headers->ask_s > 0) {
        put_head(writer, TAG_ASK, sizeof seconds + headers->service.size);
        put(writer, seconds, sizeof seconds);
        put(writer, headers->service.data, headers->service.size);
    }
    if (headers->report)
        put_head(writer, TAG_REPORT, 0);
    if (headers->has_result)
        put_value(writer, TAG_RESULT, result, sizeof result);
    if (headers->cancel)
        put_head(writer, TAG_CANCEL, 0);
}

static void put_users(struct writer *writer, const struct headers *headers)
{
    for (unsigned i = 0; i < headers->user_count; i++) {
        const struct headers_user *user = &headers->users[i];
        const uint8_t size = (uint8_t)user->name.size;
        put_head(writer, TAG_USER, user_size(user) - HEAD_SIZE);
        put(writer, &size, 1);
        put(writer, user->name.data, user->name.size);
        put(writer, user->value.data, user->value.size);
    }
}

int headers_append(struct bytes *out, const struct headers *headers, struct span body)
{
    struct writer writer = {.size = HEADERS_PREFIX_SIZE};
    const uint8_t priority = (uint8_t)headers->priority;
    uint8_t seconds[4];
    put_u32(seconds, headers->forget_s);
    put_text(&writer, TAG_TYPE, headers->type);
    put_text(&writer, TAG_TOPIC, headers->topic);
    put_text(&writer, TAG_KEY, headers->key);
    if (answers(headers))
        put_value(&writer, TAG_REPLY_TO, headers->reply_to.bytes, UUID_SIZE);
    if (headers->priority != PRIORITY_NORMAL)
        put_value(&writer, TAG_PRIORITY, &priority, 1);
    if (headers->forget_s > 0)
        put_value(&writer, TAG_FORGET, seconds, sizeof seconds);
    put_calls(&writer, headers);
    put_users(&writer, headers);
    const size_t size = writer.size - HEADERS_PREFIX_SIZE;
    if (size < HEADERS_SIZE_MIN || size > HEADERS_SIZE_MAX)
        return HEADERS_MALFORMED;
    put_u16(writer.data, (uint16_t)size);
    int r = bytes_reserve(out, writer.size + body.size);
    if (r == 0)
        r = bytes_append(out, writer.data, writer.size);
    if (r == 0)
        r = bytes_append(out, body.data, body.size);
    return r;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Values that are empty or zero stand for what is not there: they are never written. */
static bool take_text(struct span value, struct span *text)
{
    *text = value;
    return value.size > 0;
}

static bool take_seconds(struct span value, uint32_t *seconds)
{
    *seconds = value.size == 4 ? get_u32(value.data) : 0;
    return *seconds > 0;
}

static bool take_id(struct span value, struct uuid *id)
{
    if (value.size != UUID_SIZE)
        return false;
    memcpy(id->bytes, value.data, UUID_SIZE);
    return !uuid_is_zero(id);
}

static bool take_priority(struct span value, enum headers_priority *priority)
{
    if (value.size != 1 || (value.data[0] != PRIORITY_LOW && value.data[0] != PRIORITY_HIGH))
        return false;
    *priority = (enum headers_priority)value.data[0];
    return true;
}

static bool take_ask(struct span value, struct headers *headers)
{
    if (value.size < 4)
        return false;
    headers->service = SPAN(value.data + 4, value.size - 4);
    return take_seconds(SPAN(value.data, 4), &headers->ask_s);
}

static bool take_result(struct span value, struct headers *headers)
{
    if (value.size != 2)
        return false;
    headers->has_result = true;
    headers->outcome = value.data[0];
    headers->status = value.data[1];
    return true;
}

static bool take_nothing(struct span value, bool *flag)
{
    *flag = true;
    return value.size == 0;
}

static bool take_user(struct span value, struct headers *headers)
{
    struct reader reader = reader_of(value);
    const size_t size = reader_u8(&reader);
    struct headers_user user = {.name = SPAN(reader_take(&reader, size), size)};
    user.value = SPAN(reader.next, reader.left);
    if (reader.failed || headers->user_count == HEADERS_USERS_MAX)
        return false;
    headers->users[headers->user_count++] = user;
    return true;
}

static bool take(uint8_t tag, struct span value, struct headers *headers)
{
    switch (tag) {
    case TAG_TYPE:
        return take_text(value, &headers->type);
    case TAG_TOPIC:
        return take_text(value, &headers->topic);
    case TAG_KEY:
        return take_text(value, &headers->key);
    case TAG_REPLY_TO:
        return take_id(value, &headers->reply_to);
    case TAG_PRIORITY:
        return take_priority(value, &headers->priority);
    case TAG_FORGET:
        return take_seconds(value, &headers->forget_s);
    case TAG_ASK:
        return take_ask(value, headers);
    case TAG_REPORT:
        return take_nothing(value, &headers->report);
    case TAG_RESULT:
        return take_result(value, headers);
    case TAG_CANCEL:
        return take_nothing(value, &headers->cancel);
    case TAG_USER:
        return take_user(value, headers);
    default:
        headers->unknown[headers->unknown_count++] = tag; /* tags ascend: there is room for all */
        return true;
    }
}

int headers_parse(struct span content, uint32_t features, struct headers *headers,
                  struct span *body)
{
    struct reader reader = reader_of(content);
    const size_t size = reader_u16(&reader);
    const struct span encoded = SPAN(reader_take(&reader, size), size);
    int last = -1;
    *body = SPAN(reader.next, reader.left);
    headers_init(headers);
    if (reader.failed || size < HEADERS_SIZE_MIN || size > HEADERS_SIZE_MAX ||
        body->size > HEADERS_BODY_MAX)
        return HEADERS_MALFORMED;
    reader = reader_of(encoded);
    while (reader.left > 0) {
        const uint8_t tag = reader_u8(&reader);
        const size_t length = reader_u16(&reader);
        const struct span value = SPAN(reader_take(&reader, length), length);
        const bool repeated = tag == TAG_USER && last == TAG_USER;
        if (reader.failed || tag > TAG_USER || (tag <= last && !repeated) ||
            !take(tag, value, headers))
            return HEADERS_MALFORMED;
        last = tag;
    }
    if (headers->cancel && headers->unknown_count > 0)
        return HEADERS_MALFORMED;
    return headers_flaw(headers, body->size, features) == NULL ? 0 : HEADERS_MALFORMED;
}
