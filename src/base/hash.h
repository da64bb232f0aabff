/* SPDX-License-Identifier: ISC */
/*
 * Hash tables of nodes that live in the objects, found by the bytes of a key. The table grows with
 * what is in it; without memory for that it only gets slower. Keys may be chosen by others: the
 * hash is seeded (FNV-1a, RFC draft-eastlake-fnv, from a random start).
 */
#pragma once

#include "base/list.h"

#include <stdint.h>

struct hash {
    struct list *chains;
    struct list first; /* the only chain while there is no memory for more */
    size_t size;       /* of `chains`, a power of two; 0 while `first` is all */
    size_t count;
    uint64_t seed;
};

struct hash_node {
    struct list list;
    uint64_t value;
};

/* `seed` is a random number. An empty table holds no memory. */
void hash_init(struct hash *hash, uint64_t seed);
void hash_deinit(struct hash *hash);

/* Puts in a node by its key. What is in twice is found either way. */
void hash_add(struct hash *hash, struct hash_node *node, const void *key, size_t size);

/* Takes out a node; hash_node_init() makes one that is in no table. */
void hash_remove(struct hash *hash, struct hash_node *node);
void hash_node_init(struct hash_node *node);

/* Nodes whose keys may be this one: the first, and the next after `node`; NULL for no more. */
struct hash_node *hash_first(const struct hash *hash, const void *key, size_t size);
struct hash_node *hash_next(const struct hash *hash, const struct hash_node *node);
