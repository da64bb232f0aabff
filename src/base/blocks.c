/* SPDX-License-Identifier: ISC */
/*
 * A queue of bytes in blocks.
 */
#include "base/blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint8_t **at(const struct blocks *blocks, size_t index)
{
    return &blocks->ring[(blocks->first + index) & (blocks->capacity - 1)];
}

/* Blocks that the content reaches into. */
static size_t used(const struct blocks *blocks)
{
    return (blocks->start + blocks->size + BLOCK_SIZE - 1) / BLOCK_SIZE;
}

/* Frees the blocks behind the content. */
static void trim(struct blocks *blocks)
{
    while (blocks->count > used(blocks))
        free(*at(blocks, --blocks->count));
    if (blocks->count == 0) {
        free(blocks->ring);
        *blocks = (struct blocks){0};
    }
}

void blocks_deinit(struct blocks *blocks)
{
    blocks->start = 0;
    blocks->size = 0;
    trim(blocks);
}

/* Makes the ring larger; the blocks come to lie at its beginning. */
static int widen(struct blocks *blocks)
{
    size_t capacity = blocks->capacity > 0 ? 2 * blocks->capacity : 4;
    uint8_t **ring = calloc(capacity, sizeof *ring);
    if (ring == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < blocks->count; i++)
        ring[i] = *at(blocks, i);
    free(blocks->ring);
    blocks->ring = ring;
    blocks->capacity = capacity;
    blocks->first = 0;
    return 0;
}

static int add_block(struct blocks *blocks)
{
    if (blocks->count == blocks->capacity && widen(blocks) != 0)
        return -ENOMEM;
    uint8_t *block = malloc(BLOCK_SIZE);
    if (block == NULL)
        return -ENOMEM;
    *at(blocks, blocks->count) = block;
    blocks->count++;
    return 0;
}

/* Makes sure that blocks for `size` more bytes are there. */
static int reserve(struct blocks *blocks, size_t size)
{
    while (blocks->count * BLOCK_SIZE < blocks->start + blocks->size + size) {
        if (add_block(blocks) != 0) {
            trim(blocks);
            return -ENOMEM;
        }
    }
    return 0;
}

/* The pieces of a range that the blocks have room for. */
static int cut(const struct blocks *blocks, size_t offset, size_t size, struct iovec *pieces,
               int max)
{
    int count = 0;
    offset += blocks->start;
    while (size > 0 && count < max) {
        size_t inside = offset % BLOCK_SIZE;
        size_t length = BLOCK_SIZE - inside < size ? BLOCK_SIZE - inside : size;
        pieces[count++] = (struct iovec){*at(blocks, offset / BLOCK_SIZE) + inside, length};
        offset += length;
        size -= length;
    }
    return count;
}

int blocks_room(struct blocks *blocks, size_t size, struct iovec *pieces, int max)
{
    if (reserve(blocks, size) != 0)
        return -ENOMEM;
    return cut(blocks, blocks->size, size, pieces, max);
}

void blocks_grow(struct blocks *blocks, size_t size)
{
    blocks->size += size;
    trim(blocks);
}

int blocks_append(struct blocks *blocks, const void *data, size_t size)
{
    const uint8_t *from = data;
    if (reserve(blocks, size) != 0)
        return -ENOMEM;
    while (size > 0) {
        struct iovec piece;
        cut(blocks, blocks->size, size, &piece, 1);
        memcpy(piece.iov_base, from, piece.iov_len);
        blocks->size += piece.iov_len;
        from += piece.iov_len;
        size -= piece.iov_len;
    }
    return 0;
}

int blocks_peek(const struct blocks *blocks, size_t offset, size_t size, struct iovec *pieces,
                int max)
{
    size_t there = blocks->size > offset ? blocks->size - offset : 0;
    return cut(blocks, offset, size < there ? size : there, pieces, max);
}

void blocks_consume(struct blocks *blocks, size_t size)
{
    blocks->start += size;
    blocks->size -= size;
    while (blocks->start >= BLOCK_SIZE && blocks->count > 0) {
        free(*at(blocks, 0));
        blocks->first = (blocks->first + 1) & (blocks->capacity - 1);
        blocks->count--;
        blocks->start -= BLOCK_SIZE;
    }
    if (blocks->size == 0)
        blocks_deinit(blocks);
}

void blocks_truncate(struct blocks *blocks, size_t size)
{
    blocks->size -= size;
    if (blocks->size == 0)
        blocks->start = 0;
    trim(blocks);
}
