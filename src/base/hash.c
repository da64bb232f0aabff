/* SPDX-License-Identifier: ISC */
/*
 * Hash tables.
 */
#include "base/hash.h"

#include <stdlib.h>

enum { SIZE_FIRST = 64 };

void hash_init(struct hash *hash, uint64_t seed)
{
    *hash = (struct hash){.seed = seed};
    list_init(&hash->first);
}

void hash_deinit(struct hash *hash)
{
    free(hash->chains);
}

void hash_node_init(struct hash_node *node)
{
    list_init(&node->list);
}

static uint64_t compute(const struct hash *hash, const void *key, size_t size)
{
    const uint8_t *bytes = key;
    uint64_t value = UINT64_C(0xcbf29ce484222325) ^ hash->seed;
    for (size_t i = 0; i < size; i++)
        value = (value ^ bytes[i]) * UINT64_C(0x100000001b3);
    return value ^ value >> 32;
}

static struct list *chain_of(const struct hash *hash, uint64_t value)
{
    return hash->size > 0 ? &hash->chains[value & (hash->size - 1)]
                          : (struct list *)(uintptr_t)&hash->first;
}

static void move(struct list *from, const struct hash *to)
{
    while (!list_empty(from)) {
        struct hash_node *node = container_of(from->next, struct hash_node, list);
        list_remove(&node->list);
        list_append(chain_of(to, node->value), &node->list);
    }
}

static void grow(struct hash *hash)
{
    struct hash larger = *hash;
    larger.size = hash->size > 0 ? 2 * hash->size : SIZE_FIRST;
    larger.chains = reallocarray(NULL, larger.size, sizeof *larger.chains);
    if (larger.chains == NULL)
        return;
    for (size_t i = 0; i < larger.size; i++)
        list_init(&larger.chains[i]);
    move(&hash->first, &larger);
    for (size_t i = 0; i < hash->size; i++)
        move(&hash->chains[i], &larger);
    free(hash->chains);
    hash->chains = larger.chains;
    hash->size = larger.size;
}

void hash_add(struct hash *hash, struct hash_node *node, const void *key, size_t size)
{
    if (hash->count >= hash->size)
        grow(hash);
    node->value = compute(hash, key, size);
    list_append(chain_of(hash, node->value), &node->list);
    hash->count++;
}

void hash_remove(struct hash *hash, struct hash_node *node)
{
    if (list_empty(&node->list))
        return;
    list_remove(&node->list);
    hash->count--;
}

/* The next one of this value behind `place`, which is in its chain. */
static struct hash_node *seek(const struct hash *hash, const struct list *place, uint64_t value)
{
    const struct list *chain = chain_of(hash, value);
    for (struct list *next = place->next; next != chain; next = next->next) {
        struct hash_node *node = container_of(next, struct hash_node, list);
        if (node->value == value)
            return node;
    }
    return NULL;
}

struct hash_node *hash_first(const struct hash *hash, const void *key, size_t size)
{
    const uint64_t value = compute(hash, key, size);
    return seek(hash, chain_of(hash, value), value);
}

struct hash_node *hash_next(const struct hash *hash, const struct hash_node *node)
{
    return seek(hash, &node->list, node->value);
}
