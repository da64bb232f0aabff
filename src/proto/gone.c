/* SPDX-License-Identifier: ISC */
/*
 * Names of links that are gone.
 */
#include "proto/gone.h"

#include <string.h>

#include "base/cleanup.h"
#include "crypto/random.h"
#include "proto/keyschedule.h"

static int make_name(const struct secret *key, const uint8_t random[static GONE_RANDOM_SIZE],
                     uint8_t name[static GONE_NAME_SIZE])
{
    CLEANUP(secret_cleanup) struct secret whole;
    int r = keyschedule_expand(key, "gone", random, &whole);
    if (r == 0)
        memcpy(name, whole.bytes, GONE_NAME_SIZE);
    return r;
}

int gone_encode(const struct gone *gone, const uint8_t random[static GONE_RANDOM_SIZE],
                uint8_t names[static GONE_SIZE])
{
    unsigned start = random_u32() % GONE_NAMES;
    int r = random_bytes(names, GONE_SIZE);
    for (unsigned i = 0; r == 0 && i < gone->count; i++)
        r = make_name(&gone->keys[i], random,
                      names + (size_t)(start + i) % GONE_NAMES * GONE_NAME_SIZE);
    return r;
}

bool gone_size_legal(size_t size)
{
    return size > 0 && size <= GONE_SIZE && size % GONE_NAME_SIZE == 0;
}

bool gone_has(struct span names, const uint8_t random[static GONE_RANDOM_SIZE],
              const struct secret *key)
{
    uint8_t name[GONE_NAME_SIZE];
    if (names.size == 0 || make_name(key, random, name) != 0)
        return false;
    bool found = false;
    for (size_t at = 0; at < names.size; at += GONE_NAME_SIZE)
        found |= secret_equal(names.data + at, name, GONE_NAME_SIZE);
    return found;
}
