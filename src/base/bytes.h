/* SPDX-License-Identifier: ISC */
/*
 * Byte strings: `struct span` borrows, `struct bytes` owns and grows, `struct reader` walks.
 *
 * Integers are big-endian, as everywhere on the wire.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that belong to somebody else. */
struct span {
    const uint8_t *data;
    size_t size;
};

#define SPAN(pointer, length) ((struct span){(const uint8_t *)(pointer), (length)})

/* A growing buffer. All zero is a valid empty one; bytes_deinit() releases it. */
struct bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* Releases the memory after wiping it; the buffer is empty and usable again. */
void bytes_deinit(struct bytes *bytes);

/* Sets the size to zero and keeps the memory. */
void bytes_clear(struct bytes *bytes);

/* Makes room for `extra` more bytes without changing the size. 0 or -ENOMEM. */
int bytes_reserve(struct bytes *bytes, size_t extra);

/* Each appends and returns 0, or -ENOMEM with the buffer unchanged. */
int bytes_append(struct bytes *bytes, const void *data, size_t size);
int bytes_append_zeros(struct bytes *bytes, size_t count);
int bytes_append_u8(struct bytes *bytes, uint8_t value);
int bytes_append_u16(struct bytes *bytes, uint16_t value);
int bytes_append_u32(struct bytes *bytes, uint32_t value);
int bytes_append_u64(struct bytes *bytes, uint64_t value);

/* Removes the first `count` bytes; count <= size. */
void bytes_consume(struct bytes *bytes, size_t count);

/* The content, valid until the buffer changes. */
struct span bytes_span(const struct bytes *bytes);

/* Big-endian integers at a place that is known to be large enough. */
void put_u16(uint8_t *at, uint16_t value);
void put_u32(uint8_t *at, uint32_t value);
void put_u64(uint8_t *at, uint64_t value);
uint16_t get_u16(const uint8_t *at);
uint32_t get_u32(const uint8_t *at);
uint64_t get_u64(const uint8_t *at);

/*
 * Walks a span. A read past the end returns zero (or NULL), sets `failed` and leaves nothing to
 * read, so that a parser checks once at its end.
 */
struct reader {
    const uint8_t *next;
    size_t left;
    bool failed;
};

struct reader reader_of(struct span span);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);

/* The next `size` bytes in place, or NULL. */
const uint8_t *reader_take(struct reader *reader, size_t size);

/* Whether the next `size` bytes exist and are all zero; takes them. */
bool reader_zeros(struct reader *reader, size_t size);

bool bytes_all_zero(const uint8_t *data, size_t size);
