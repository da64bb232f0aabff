/* SPDX-License-Identifier: ISC */
/*
 * Reading and writing of ADDRESSES.
 */
#include "proto/told.h"

#include <arpa/inet.h>
#include <errno.h>

enum kind { KIND_IPV4 = 1, KIND_IPV6 = 2, KIND_NAME = 3, KIND_FRIEND = 4 };

enum { SOURCE_INTERFACE = 1, NAME_MAX_SIZE = 253, FRIEND_SIZE = 32 };

struct entry {
    uint8_t kind;
    uint16_t port;
    struct span value;
};

static int append_entry(struct bytes *body, const struct address *address)
{
    uint8_t value[16];
    bool v4 = inet_pton(AF_INET, address->host, value) == 1;
    if (!v4 && inet_pton(AF_INET6, address->host, value) != 1)
        return -EINVAL;
    const uint8_t size = v4 ? 4 : 16;
    int r = bytes_append_u8(body, v4 ? KIND_IPV4 : KIND_IPV6);
    if (r == 0)
        r = bytes_append_u8(body, SOURCE_INTERFACE);
    if (r == 0)
        r = bytes_append_u16(body, address->port);
    if (r == 0)
        r = bytes_append_u8(body, size);
    return r == 0 ? bytes_append(body, value, size) : r;
}

int told_append(struct bytes *body, const struct address *addresses, unsigned count)
{
    int r = bytes_append_u8(body, (uint8_t)count);
    for (unsigned i = 0; i < count && r == 0; i++)
        r = append_entry(body, &addresses[i]);
    return r;
}

static struct entry read_entry(struct reader *reader)
{
    struct entry entry = {.kind = reader_u8(reader)};
    reader_u8(reader); /* the source */
    entry.port = reader_u16(reader);
    size_t size = reader_u8(reader);
    entry.value = SPAN(reader_take(reader, size), size);
    return entry;
}

static bool is_name(struct span value)
{
    for (size_t i = 0; i < value.size; i++) {
        char c = (char)value.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '.')
            return false;
    }
    return value.size >= 1 && value.size <= NAME_MAX_SIZE;
}

static bool is_legal(const struct entry *entry)
{
    switch (entry->kind) {
    case KIND_IPV4:
        return entry->value.size == 4;
    case KIND_IPV6:
        return entry->value.size == 16;
    case KIND_NAME:
        return is_name(entry->value);
    case KIND_FRIEND:
        return entry->value.size == FRIEND_SIZE && entry->port == 0;
    default:
        return true;
    }
}

bool told_legal(struct span body)
{
    struct reader reader = reader_of(body);
    unsigned count = reader_u8(&reader);
    bool legal = count <= TOLD_MAX;
    for (unsigned i = 0; i < count && legal; i++) {
        struct entry entry = read_entry(&reader);
        legal = !reader.failed && is_legal(&entry);
    }
    return legal && !reader.failed && reader.left == 0;
}

unsigned told_parse(struct span body, struct address addresses[static TOLD_MAX])
{
    struct reader reader = reader_of(body);
    unsigned left = reader_u8(&reader), count = 0;
    for (; left > 0 && !reader.failed && count < TOLD_MAX; left--) {
        struct entry entry = read_entry(&reader);
        int family = entry.kind == KIND_IPV4 ? AF_INET : AF_INET6;
        if (reader.failed || (entry.kind != KIND_IPV4 && entry.kind != KIND_IPV6))
            continue;
        struct address *address = &addresses[count++];
        inet_ntop(family, entry.value.data, address->host, sizeof address->host);
        address->port = entry.port;
    }
    return count;
}
