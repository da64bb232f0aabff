/*
 * Encoding and walking of records; what they do is the session's matter.
 */
#include "proto/record.h"

#include "crypto/keyx.h"
#include "proto/message.h"

enum sender { ANYBODY, ONLY_JOINER, ONLY_HOST };

/* What a record of a known type must look like. */
struct rule {
    uint8_t type;
    bool last; /* nothing may follow it in its packet */
    enum sender sender;
    uint32_t size; /* of the body */
};

static const struct rule rules[] = {
    {RECORD_PING, false, ANYBODY, 8},
    {RECORD_PONG, false, ANYBODY, 8},
    {RECORD_CLOSE, true, ANYBODY, 1},
    {RECORD_APPROVE, false, ANYBODY, 0},
    {RECORD_ACK, false, ANYBODY, 8},
    {RECORD_REKEY_WANT, false, ONLY_JOINER, 0},
    {RECORD_REKEY_INIT, false, ONLY_HOST, KEYX_SIZE},
    {RECORD_REKEY_RESP, true, ONLY_JOINER, KEYX_SIZE},
    {RECORD_REKEY_DONE, true, ONLY_HOST, 0},
};

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

static bool fits(const struct rule *rule, const struct record *record, bool is_last, bool from_host)
{
    if (rule->sender != ANYBODY && (rule->sender == ONLY_HOST) != from_host)
        return false;
    return record->body.size == rule->size && (is_last || !rule->last);
}

static int check_one(const struct record *record, bool is_last, bool from_host)
{
    struct session_item item;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].type == record->type)
            return fits(&rules[i], record, is_last, from_host) ? 0 : RECORD_MALFORMED;
    }
    if (record->type == RECORD_MESSAGE)
        return message_parse(record->body, &item) == 0 ? 0 : RECORD_MALFORMED;
    return record->type >= RECORD_OPTIONAL ? 0 : RECORD_UNSUPPORTED;
}

int record_check(struct span records, bool from_host)
{
    struct reader reader = reader_of(records);
    struct record record;
    int r = 0;
    while (r == 0 && record_next(&reader, &record))
        r = check_one(&record, reader.left == 0, from_host);
    return r == 0 && reader.failed ? RECORD_MALFORMED : r;
}
