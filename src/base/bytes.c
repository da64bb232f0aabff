/* SPDX-License-Identifier: ISC */
/*
 * Growing buffers, big-endian integers and the reader. No file, no socket, no text.
 *
 * A buffer may have held plaintext or keys: whatever memory it gives back is wiped first, also when
 * it moves to a larger place (which is why realloc() is not used).
 */
#include "base/bytes.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const size_t first_capacity = 64;

static void bytes_release(struct bytes *bytes)
{
    if (bytes->data == NULL)
        return;
    explicit_bzero(bytes->data, bytes->capacity);
    free(bytes->data);
}

void bytes_deinit(struct bytes *bytes)
{
    bytes_release(bytes);
    *bytes = (struct bytes){0};
}

void bytes_clear(struct bytes *bytes)
{
    bytes->size = 0;
}

/* The capacity to grow to: doubled until it fits; 0 when there is none. */
static size_t bytes_grown(size_t capacity, size_t needed)
{
    if (needed > SIZE_MAX / 2)
        return 0;
    if (capacity < first_capacity)
        capacity = first_capacity;
    while (capacity < needed)
        capacity *= 2;
    return capacity;
}

int bytes_reserve(struct bytes *bytes, size_t extra)
{
    size_t capacity;
    uint8_t *data;
    if (extra <= bytes->capacity - bytes->size)
        return 0;
    if (extra > SIZE_MAX - bytes->size)
        return -ENOMEM;
    capacity = bytes_grown(bytes->capacity, bytes->size + extra);
    if (capacity == 0)
        return -ENOMEM;
    data = malloc(capacity);
    if (data == NULL)
        return -ENOMEM;
    if (bytes->size > 0)
        memcpy(data, bytes->data, bytes->size);
    bytes_release(bytes);
    bytes->data = data;
    bytes->capacity = capacity;
    return 0;
}

int bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    if (size == 0)
        return 0;
    if (bytes_reserve(bytes, size) < 0)
        return -ENOMEM;
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
    return 0;
}

int bytes_append_zeros(struct bytes *bytes, size_t count)
{
    if (count == 0)
        return 0;
    if (bytes_reserve(bytes, count) < 0)
        return -ENOMEM;
    memset(bytes->data + bytes->size, 0, count);
    bytes->size += count;
    return 0;
}

int bytes_append_u8(struct bytes *bytes, uint8_t value)
{
    return bytes_append(bytes, &value, sizeof value);
}

int bytes_append_u16(struct bytes *bytes, uint16_t value)
{
    uint8_t wire[sizeof value];
    put_u16(wire, value);
    return bytes_append(bytes, wire, sizeof wire);
}

int bytes_append_u32(struct bytes *bytes, uint32_t value)
{
    uint8_t wire[sizeof value];
    put_u32(wire, value);
    return bytes_append(bytes, wire, sizeof wire);
}

int bytes_append_u64(struct bytes *bytes, uint64_t value)
{
    uint8_t wire[sizeof value];
    put_u64(wire, value);
    return bytes_append(bytes, wire, sizeof wire);
}

void bytes_consume(struct bytes *bytes, size_t count)
{
    assert(count <= bytes->size);
    if (count == 0)
        return;
    bytes->size -= count;
    memmove(bytes->data, bytes->data + count, bytes->size);
}

struct span bytes_span(const struct bytes *bytes)
{
    return SPAN(bytes->data, bytes->size);
}

void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, (uint16_t)(value >> 16));
    put_u16(at + 2, (uint16_t)value);
}

void put_u64(uint8_t *at, uint64_t value)
{
    put_u32(at, (uint32_t)(value >> 32));
    put_u32(at + 4, (uint32_t)value);
}

uint16_t get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
}

uint64_t get_u64(const uint8_t *at)
{
    return (uint64_t)get_u32(at) << 32 | get_u32(at + 4);
}

struct reader reader_of(struct span span)
{
    return (struct reader){.next = span.data, .left = span.size};
}

const uint8_t *reader_take(struct reader *reader, size_t size)
{
    const uint8_t *taken = reader->next;
    if (reader->failed || size > reader->left) {
        reader->failed = true;
        reader->left = 0;
        return NULL;
    }
    if (size > 0)
        reader->next += size;
    reader->left -= size;
    return taken;
}

uint8_t reader_u8(struct reader *reader)
{
    const uint8_t *at = reader_take(reader, sizeof(uint8_t));
    return at != NULL ? *at : 0;
}

uint16_t reader_u16(struct reader *reader)
{
    const uint8_t *at = reader_take(reader, sizeof(uint16_t));
    return at != NULL ? get_u16(at) : 0;
}

uint32_t reader_u32(struct reader *reader)
{
    const uint8_t *at = reader_take(reader, sizeof(uint32_t));
    return at != NULL ? get_u32(at) : 0;
}

uint64_t reader_u64(struct reader *reader)
{
    const uint8_t *at = reader_take(reader, sizeof(uint64_t));
    return at != NULL ? get_u64(at) : 0;
}

bool reader_zeros(struct reader *reader, size_t size)
{
    const uint8_t *at = reader_take(reader, size);
    return !reader->failed && bytes_all_zero(at, size);
}

bool bytes_all_zero(const uint8_t *data, size_t size)
{
    uint8_t seen = 0;
    for (size_t i = 0; i < size; i++)
        seen |= data[i];
    return seen == 0;
}
