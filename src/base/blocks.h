/* SPDX-License-Identifier: ISC */
/*
 * A queue of bytes in blocks of fixed size: grows at one end, shrinks at both, moves nothing.
 *
 *      start         start + size
 *        |                |
 *     [..xxxx][xxxxxxxx][xxx.....]        a ring of pointers to blocks
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { BLOCK_SIZE = 4096 };

/* All zero is an empty one; blocks_deinit() releases it. */
struct blocks {
    uint8_t **ring;
    size_t capacity; /* of the ring, a power of two */
    size_t first;    /* place of the first block in it */
    size_t count;    /* blocks that are there */
    size_t start;    /* of the content in the first block */
    size_t size;     /* of the content */
};

/* Frees all; the queue is empty and usable again. */
void blocks_deinit(struct blocks *blocks);

/* Adds bytes behind the others. 0, or -ENOMEM with nothing added. */
int blocks_append(struct blocks *blocks, const void *data, size_t size);

/*
 * Room for `size` more bytes in at most `max` pieces (it may be less then); blocks_grow() says how
 * much of it was filled. The number of pieces, or -ENOMEM.
 */
int blocks_room(struct blocks *blocks, size_t size, struct iovec *pieces, int max);
void blocks_grow(struct blocks *blocks, size_t size);

/* Up to `size` bytes from `offset` on, in at most `max` pieces; the number of pieces. */
int blocks_peek(const struct blocks *blocks, size_t offset, size_t size, struct iovec *pieces,
                int max);

/* Removes the first or the last `size` bytes; size <= blocks->size. */
void blocks_consume(struct blocks *blocks, size_t size);
void blocks_truncate(struct blocks *blocks, size_t size);
