/* SPDX-License-Identifier: ISC */
/*
 * What strangers may cost.
 */
#include "core/limits.h"

#include <string.h>

void limits_init(struct limits *limits, uint64_t now_ms)
{
    bucket_init(&limits->hellos, LIMITS_HELLOS_PER_S, LIMITS_HELLOS_BURST, now_ms);
    bucket_init(&limits->stranger_keys, LIMITS_STRANGER_KEYS_PER_S, LIMITS_STRANGER_KEYS_BURST,
                now_ms);
    bucket_init(&limits->invited_keys, LIMITS_PEER_KEYS_PER_S, LIMITS_PEER_KEYS_BURST, now_ms);
    limits->origin_count = 0;
}

/* The budget of this origin; a new origin takes the place of the one seen longest ago. */
static struct bucket *find_origin(struct limits *limits, const struct origin *origin,
                                  uint64_t now_ms)
{
    struct limits_origin *place = &limits->origins[0];
    for (unsigned i = 0; i < limits->origin_count; i++) {
        struct limits_origin *known = &limits->origins[i];
        if (memcmp(known->key, origin->key, ORIGIN_KEY_SIZE) == 0)
            return &known->hellos;
        if (known->hellos.last_ms < place->hellos.last_ms)
            place = known;
    }
    if (limits->origin_count < LIMITS_ORIGINS_REMEMBERED)
        place = &limits->origins[limits->origin_count++];
    memcpy(place->key, origin->key, ORIGIN_KEY_SIZE);
    bucket_init(&place->hellos, LIMITS_ORIGIN_HELLOS_PER_S, LIMITS_ORIGIN_HELLOS_BURST, now_ms);
    return &place->hellos;
}

bool limits_hello(struct limits *limits, const struct origin *origin, uint64_t now_ms)
{
    /* The origin pays first, so that one flooder can't empty the common budget. */
    return bucket_take(find_origin(limits, origin, now_ms), now_ms) &&
           bucket_take(&limits->hellos, now_ms);
}

bool limits_stranger_key(struct limits *limits, uint64_t now_ms)
{
    return bucket_take(&limits->stranger_keys, now_ms);
}

bool limits_invited_key(struct limits *limits, uint64_t now_ms)
{
    return bucket_take(&limits->invited_keys, now_ms);
}
