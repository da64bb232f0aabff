/* SPDX-License-Identifier: ISC */
/*
 * Layout of HELLO_J and HELLO_H. Whether a key is a good point is the key exchange's matter.
 */
#include "proto/hello.h"

#include <string.h>

enum {
    PROTOCOL_VERSION = 1,
    SUITE_1 = 1,
    SUITE_1_BIT = 1 << 0,
    SUITE_2_BIT = 1 << 1,
    ENCAPSULATION_KEY_SIZE = 1184,
    EXTENSIONS_MAX = 512,
};

static const uint8_t magic[8] = "p2pchat";

static void encode(const struct hello *hello, uint8_t first, uint8_t second, uint16_t suite,
                   uint8_t body[static HELLO_SIZE_PLAIN])
{
    memset(body, 0, HELLO_SIZE_PLAIN);
    memcpy(body, magic, sizeof magic);
    body[8] = first;
    body[9] = second;
    put_u16(body + 10, suite);
    memcpy(body + 12, hello->random, HELLO_RANDOM_SIZE);
    memcpy(body + 44, hello->x25519, KEYX_SIZE);
}

void hello_joiner_encode(const struct hello *hello, uint8_t body[static HELLO_SIZE_PLAIN])
{
    encode(hello, PROTOCOL_VERSION, PROTOCOL_VERSION, SUITE_1_BIT, body);
}

void hello_host_encode(const struct hello *hello, uint8_t body[static HELLO_SIZE_PLAIN])
{
    encode(hello, PROTOCOL_VERSION, 0, SUITE_1, body);
}

static bool starts_with_magic(struct reader *reader)
{
    const uint8_t *start = reader_take(reader, sizeof magic);
    return start != NULL && memcmp(start, magic, sizeof magic) == 0;
}

/* Extensions fill the rest exactly and have strictly ascending types; none is known to us. */
static bool extensions_well_formed(struct reader *reader)
{
    size_t size = reader_u16(reader);
    int32_t last_type = -1;
    if (reader->failed || size > EXTENSIONS_MAX || size != reader->left)
        return false;
    while (reader->left > 0) {
        int32_t type = reader_u16(reader);
        reader_take(reader, reader_u16(reader));
        if (reader->failed || type <= last_type)
            return false;
        last_type = type;
    }
    return true;
}

/* Everything behind the suites; the value of the second key exchange has one legal size. */
static bool parse_rest(struct reader *reader, size_t second_exchange_size, struct hello *hello)
{
    const uint8_t *random = reader_take(reader, HELLO_RANDOM_SIZE);
    const uint8_t *x25519 = reader_take(reader, KEYX_SIZE);
    if (reader_u16(reader) != second_exchange_size)
        return false;
    reader_take(reader, second_exchange_size);
    if (!extensions_well_formed(reader) || random == NULL || x25519 == NULL)
        return false;
    memcpy(hello->random, random, HELLO_RANDOM_SIZE);
    memcpy(hello->x25519, x25519, KEYX_SIZE);
    return true;
}

int hello_joiner_parse(struct span body, struct hello *hello)
{
    struct reader reader = reader_of(body);
    bool has_magic = starts_with_magic(&reader);
    uint8_t lowest = reader_u8(&reader);
    uint8_t highest = reader_u8(&reader);
    if (!has_magic || lowest == 0 || lowest > highest)
        return HELLO_MALFORMED;
    /* Later versions may have another layout from here on. */
    if (lowest > PROTOCOL_VERSION)
        return HELLO_UNSUPPORTED;

    uint16_t suites = reader_u16(&reader);

    if (!parse_rest(&reader, suites & SUITE_2_BIT ? ENCAPSULATION_KEY_SIZE : 0, hello))
        return HELLO_MALFORMED;
    return suites & SUITE_1_BIT ? 0 : HELLO_UNSUPPORTED;
}

int hello_host_parse(struct span body, struct hello *hello)
{
    struct reader reader = reader_of(body);
    bool has_magic = starts_with_magic(&reader);
    uint8_t version = reader_u8(&reader);
    uint8_t zero = reader_u8(&reader);
    uint16_t suite = reader_u16(&reader);
    if (!has_magic || version != PROTOCOL_VERSION || zero != 0 || suite != SUITE_1)
        return HELLO_MALFORMED;
    return parse_rest(&reader, 0, hello) ? 0 : HELLO_MALFORMED;
}
