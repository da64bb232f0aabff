/* SPDX-License-Identifier: ISC */
/*
 * The codec of lane records: a table of their shapes, a writer and a reader.
 */
#include "proto/lane_record.h"

#include <errno.h>
#include <string.h>

#include "proto/record.h"
#include "proto/service_name.h"

enum { ID_SIZE = 4 };

/* What a record of a known type must look like. Sizes are those of the whole body, id included. */
struct rule {
    uint8_t type;
    bool of_lane; /* it has no id */
    bool last;    /* nothing may follow it in its frame */
    uint32_t least;
    uint32_t most;
};

static const struct rule rules[] = {
    {LANE_HELLO, true, false, 20, 20},
    {LANE_RESUME, false, false, 25, 25},
    {LANE_READY, true, false, 0, 0},
    {LANE_OPEN, false, false, 11, 10 + SERVICE_NAME_MAX + LANE_ARGUMENT_MAX},
    {LANE_OPENED, false, false, 9, 9},
    {LANE_DATA, false, false, 5, UINT32_MAX},
    {LANE_WINDOW, false, false, 16, 16},
    {LANE_FIN, false, false, 12, 12},
    {LANE_EXIT, false, false, 9, 9},
    {LANE_DONE, false, false, 4, 4},
    {LANE_STOP, false, false, 4, 4},
    {LANE_RESET, false, false, 5, 5},
    {LANE_SWITCH, true, true, 4, 4},
    {LANE_BYE, true, true, 1, 1},
    {LANE_ECHO, true, false, LANE_ECHO_SIZE, LANE_ECHO_SIZE},
    {LANE_ECHOED, true, false, LANE_ECHO_SIZE, LANE_ECHO_SIZE},
};

static const struct rule *find_rule(uint8_t type)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].type == type)
            return &rules[i];
    return NULL;
}

bool lane_record_of_lane(uint8_t type)
{
    const struct rule *rule = find_rule(type);
    return rule != NULL && rule->of_lane;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* The body behind the id, but for names and data. Returns its size. */
static size_t write_fixed(const struct lane_record *record, uint8_t at[static LANE_CONTROL_MAX])
{
    switch (record->type) {
    case LANE_RESUME:
        put_u64(at, record->size);
        put_u64(at + 8, record->taken);
        put_u32(at + 16, record->window);
        at[20] = record->flags;
        return 21;
    case LANE_OPEN:
        put_u32(at, record->window);
        at[4] = record->flags;
        at[5] = (uint8_t)record->name.size;
        return 6;
    case LANE_OPENED:
        put_u32(at, record->window);
        at[4] = record->flags;
        return 5;
    case LANE_WINDOW:
        put_u64(at, record->taken);
        put_u32(at + 8, record->window);
        return 12;
    case LANE_FIN:
        put_u64(at, record->size);
        return 8;
    case LANE_EXIT:
        at[0] = record->code;
        put_u32(at + 1, record->value);
        return 5;
    case LANE_RESET:
    case LANE_BYE:
        at[0] = record->code;
        return 1;
    case LANE_SWITCH:
        put_u32(at, record->value);
        return 4;
    default:
        return 0;
    }
}

int lane_record_append(struct bytes *out, const struct lane_record *record)
{
    uint8_t fixed[LANE_CONTROL_MAX], tail[4];
    const size_t fixed_size = write_fixed(record, fixed);
    const size_t id_size = lane_record_of_lane(record->type) ? 0 : ID_SIZE;
    const size_t tail_size = record->type == LANE_HELLO ? sizeof tail : 0;
    const size_t size = id_size + fixed_size + record->name.size + record->data.size + tail_size;
    int r = bytes_reserve(out, RECORD_HEADER_SIZE + size);
    if (r == 0)
        r = bytes_append_u32(out, (uint32_t)size);
    if (r == 0)
        r = bytes_append_u8(out, record->type);
    if (r == 0 && id_size > 0)
        r = bytes_append_u32(out, record->id);
    if (r == 0)
        r = bytes_append(out, fixed, fixed_size);
    if (r == 0)
        r = bytes_append(out, record->name.data, record->name.size);
    if (r == 0)
        r = bytes_append(out, record->data.data, record->data.size);
    put_u32(tail, record->window);
    return r == 0 ? bytes_append(out, tail, tail_size) : r;
}

/* --- reading ---------------------------------------------------------------------------------- */

static void read_open(struct lane_record *record, struct reader *body)
{
    record->window = reader_u32(body);
    record->flags = reader_u8(body);
    const size_t size = reader_u8(body);
    record->name = SPAN(reader_take(body, size), size);
    record->data = SPAN(body->next, body->left);
}

/* Reads what a body of legal size holds. */
static void read_body(struct lane_record *record, struct reader *body)
{
    if (!lane_record_of_lane(record->type))
        record->id = reader_u32(body);
    switch (record->type) {
    case LANE_HELLO:
        record->data = SPAN(reader_take(body, LANE_INSTANCE_SIZE), LANE_INSTANCE_SIZE);
        record->window = reader_u32(body);
        break;
    case LANE_RESUME:
        record->size = reader_u64(body);
        record->taken = reader_u64(body);
        record->window = reader_u32(body);
        record->flags = reader_u8(body);
        break;
    case LANE_OPEN:
        read_open(record, body);
        break;
    case LANE_OPENED:
        record->window = reader_u32(body);
        record->flags = reader_u8(body);
        break;
    case LANE_DATA:
    case LANE_ECHO:
    case LANE_ECHOED:
        record->data = SPAN(body->next, body->left);
        break;
    case LANE_WINDOW:
        record->taken = reader_u64(body);
        record->window = reader_u32(body);
        break;
    case LANE_FIN:
        record->size = reader_u64(body);
        break;
    case LANE_EXIT:
        record->code = reader_u8(body);
        record->value = reader_u32(body);
        break;
    case LANE_RESET:
    case LANE_BYE:
        record->code = reader_u8(body);
        break;
    case LANE_SWITCH:
        record->value = reader_u32(body);
        break;
    default:
        break;
    }
}

bool lane_record_next(struct reader *reader, struct lane_record *record)
{
    struct record raw;
    while (record_next(reader, &raw)) {
        struct reader body = reader_of(raw.body);
        if (raw.type >= LANE_OPTIONAL)
            continue;
        *record = (struct lane_record){.type = raw.type};
        read_body(record, &body);
        return true;
    }
    return false;
}

/* --- judging ---------------------------------------------------------------------------------- */

/* Names and arguments: arguments are for services of our own. */
static bool open_valid(struct span body)
{
    struct lane_record record = {.type = LANE_OPEN};
    struct reader reader = reader_of(body);
    read_body(&record, &reader);
    return !reader.failed && service_name_known(record.name) &&
           record.data.size <= LANE_ARGUMENT_MAX &&
           (record.data.size == 0 || record.name.data[0] == '.');
}

static bool exit_valid(struct span body)
{
    struct lane_record record = {.type = LANE_EXIT};
    struct reader reader = reader_of(body);
    read_body(&record, &reader);
    return record.code != LANE_EXIT_STATUS || record.value <= 255;
}

static bool one_valid(const struct record *raw, bool is_last)
{
    const struct rule *rule = find_rule(raw->type);
    if (rule == NULL)
        return raw->type >= LANE_OPTIONAL;
    if (raw->body.size < rule->least || raw->body.size > rule->most || (rule->last && !is_last))
        return false;
    if (raw->type == LANE_OPEN)
        return open_valid(raw->body);
    return raw->type != LANE_EXIT || exit_valid(raw->body);
}

bool lane_records_check(struct span records)
{
    struct reader reader = reader_of(records);
    struct record raw;
    while (record_next(&reader, &raw))
        if (!one_valid(&raw, reader.left == 0))
            return false;
    return !reader.failed;
}
