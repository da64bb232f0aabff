/* SPDX-License-Identifier: ISC */
/*
 * UUIDs of version 7 and their text. Time and randomness come from the caller.
 */
#include "base/uuid.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"

struct uuid uuid_make(uint64_t wall_ms, const uint8_t random[static UUID_RANDOM_SIZE])
{
    struct uuid uuid;
    put_u16(uuid.bytes, (uint16_t)(wall_ms >> 32));
    put_u32(uuid.bytes + 2, (uint32_t)wall_ms);
    memcpy(uuid.bytes + 6, random, UUID_RANDOM_SIZE);
    uuid.bytes[6] = (uint8_t)(0x70 | (uuid.bytes[6] & 0x0f));
    uuid.bytes[8] = (uint8_t)(0x80 | (uuid.bytes[8] & 0x3f));
    return uuid;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, UUID_SIZE) == 0;
}

bool uuid_is_zero(const struct uuid *uuid)
{
    return bytes_all_zero(uuid->bytes, UUID_SIZE);
}

/* How many bytes stand between the hyphens. */
static const size_t groups[] = {4, 2, 2, 2, 6};

enum { GROUP_COUNT = sizeof groups / sizeof groups[0] };

void uuid_format(const struct uuid *uuid, char text[static UUID_TEXT_MAX])
{
    const uint8_t *at = uuid->bytes;
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        if (i > 0)
            *text++ = '-';
        hex_encode(at, groups[i], text);
        text += 2 * groups[i];
        at += groups[i];
    }
}

int uuid_parse(const char *text, struct uuid *uuid)
{
    char digits[2 * UUID_SIZE + 1];
    char *out = digits;
    if (strlen(text) != UUID_TEXT_MAX - 1)
        return -EINVAL;
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        if (i > 0 && *text++ != '-')
            return -EINVAL;
        memcpy(out, text, 2 * groups[i]);
        out += 2 * groups[i];
        text += 2 * groups[i];
    }
    *out = '\0';
    return hex_decode(digits, uuid->bytes, UUID_SIZE);
}
