/* SPDX-License-Identifier: ISC */
/*
 * Layout of HELLO_J and HELLO_H. Whether a key is a good point is the key exchange's matter.
 */
#include "proto/hello.h"

#include <string.h>

#include "base/version.h"

enum {
    SHARE_AT = 44,
    EXTENSIONS_MAX = 512,
    EXTENSION_GONE = 2,
};

static const uint8_t magic[8] = "p2pchat";

/* A share of `size` bytes; the length of its second part stands in the middle. */
static size_t encode(const struct hello *hello, uint8_t first, uint8_t second, unsigned suite,
                     size_t size, uint8_t body[static HELLO_SIZE_MAX])
{
    uint8_t *at = body + SHARE_AT + KEYX_SIZE;
    memcpy(body, magic, sizeof magic);
    body[8] = first;
    body[9] = second;
    put_u16(body + 10, (uint16_t)suite);
    memcpy(body + 12, hello->random, HELLO_RANDOM_SIZE);
    memcpy(body + SHARE_AT, hello->share, KEYX_SIZE);
    put_u16(at, (uint16_t)(size - KEYX_SIZE));
    memcpy(at + 2, hello->share + KEYX_SIZE, size - KEYX_SIZE);
    put_u16(at + 2 + size - KEYX_SIZE, 0);
    return HELLO_SIZE_PLAIN + size - KEYX_SIZE;
}

/* The highest suite of the set, which is not empty. */
static enum suite highest(unsigned suites)
{
    return suites & SUITE_BIT(SUITE_HYBRID) ? SUITE_HYBRID : SUITE_CLASSIC;
}

size_t hello_joiner_encode(const struct hello *hello, unsigned suites,
                           uint8_t body[static HELLO_SIZE_MAX])
{
    size_t size = encode(hello, VERSION_PROTOCOL, VERSION_PROTOCOL, suites,
                         exchange_offer_size(highest(suites)), body);
    if (hello->gone_size == 0)
        return size;
    put_u16(body + size - 2, (uint16_t)(HELLO_EXTENSION_SIZE + hello->gone_size));
    put_u16(body + size, EXTENSION_GONE);
    put_u16(body + size + 2, (uint16_t)hello->gone_size);
    memcpy(body + size + HELLO_EXTENSION_SIZE, hello->gone, hello->gone_size);
    return size + HELLO_EXTENSION_SIZE + hello->gone_size;
}

size_t hello_host_encode(const struct hello *hello, enum suite suite,
                         uint8_t body[static HELLO_SIZE_MAX])
{
    return encode(hello, VERSION_PROTOCOL, 0, suite, exchange_answer_size(suite), body);
}

static bool starts_with_magic(struct reader *reader)
{
    const uint8_t *start = reader_take(reader, sizeof magic);
    return start != NULL && memcmp(start, magic, sizeof magic) == 0;
}

/* Extensions fill the rest exactly and have strictly ascending types; `gone` gets the one known. */
static bool parse_extensions(struct reader *reader, struct span *gone)
{
    size_t size = reader_u16(reader);
    int32_t last_type = -1;
    if (reader->failed || size > EXTENSIONS_MAX || size != reader->left)
        return false;
    while (reader->left > 0) {
        int32_t type = reader_u16(reader);
        size_t value_size = reader_u16(reader);
        const uint8_t *value = reader_take(reader, value_size);
        if (reader->failed || type <= last_type)
            return false;
        if (type == EXTENSION_GONE)
            *gone = SPAN(value, value_size);
        last_type = type;
    }
    return true;
}

static bool take_gone(struct hello *hello, struct span gone)
{
    if (gone.data == NULL)
        return true;
    if (!gone_size_legal(gone.size))
        return false;
    memcpy(hello->gone, gone.data, gone.size);
    hello->gone_size = gone.size;
    return true;
}

/* Everything behind the suites; a share of any but this size is malformed. */
static bool parse_rest(struct reader *reader, size_t size, struct hello *hello, struct span *gone)
{
    const uint8_t *random = reader_take(reader, HELLO_RANDOM_SIZE);
    const uint8_t *keyx = reader_take(reader, KEYX_SIZE);
    if (reader_u16(reader) != size - KEYX_SIZE)
        return false;
    const uint8_t *kem = reader_take(reader, size - KEYX_SIZE);
    hello->gone_size = 0;
    if (!parse_extensions(reader, gone) || random == NULL || keyx == NULL || kem == NULL)
        return false;
    memcpy(hello->random, random, HELLO_RANDOM_SIZE);
    memcpy(hello->share, keyx, KEYX_SIZE);
    memcpy(hello->share + KEYX_SIZE, kem, size - KEYX_SIZE);
    return true;
}

int hello_joiner_parse(struct span body, unsigned suites, struct hello *hello, enum suite *suite)
{
    struct reader reader = reader_of(body);
    struct span gone = {0};
    bool has_magic = starts_with_magic(&reader);
    uint8_t lowest = reader_u8(&reader);
    uint8_t latest = reader_u8(&reader);
    if (!has_magic || lowest == 0 || lowest > latest)
        return HELLO_MALFORMED;
    /* Later versions may have another layout from here on. */
    if (lowest > VERSION_PROTOCOL)
        return HELLO_UNSUPPORTED;
    unsigned offered = reader_u16(&reader);
    if (!parse_rest(&reader, exchange_offer_size(highest(offered)), hello, &gone) ||
        !take_gone(hello, gone))
        return HELLO_MALFORMED;
    if ((offered & suites) == 0)
        return HELLO_UNSUPPORTED;
    *suite = highest(offered & suites);
    return 0;
}

int hello_host_parse(struct span body, unsigned suites, struct hello *hello, enum suite *suite)
{
    struct reader reader = reader_of(body);
    struct span ignored;
    bool has_magic = starts_with_magic(&reader);
    uint8_t version = reader_u8(&reader);
    uint8_t zero = reader_u8(&reader);
    unsigned chosen = reader_u16(&reader);
    if (!has_magic || version != VERSION_PROTOCOL || zero != 0 ||
        (chosen != SUITE_CLASSIC && chosen != SUITE_HYBRID) || (suites & SUITE_BIT(chosen)) == 0)
        return HELLO_MALFORMED;
    *suite = (enum suite)chosen;
    return parse_rest(&reader, exchange_answer_size(*suite), hello, &ignored) ? 0 : HELLO_MALFORMED;
}
