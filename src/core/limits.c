/* SPDX-License-Identifier: ISC */
/*
 * What strangers may cost.
 */
#include "core/limits.h"

#include <string.h>

void limits_init(struct limits *limits, uint64_t now_ms)
{
    bucket_init(&limits->hellos, LIMITS_HELLOS_PER_S, LIMITS_HELLOS_BURST, now_ms);
    bucket_init(&limits->familiar_hellos, LIMITS_FAMILIAR_HELLOS_PER_S,
                LIMITS_FAMILIAR_HELLOS_BURST, now_ms);
    bucket_init(&limits->stranger_keys, LIMITS_STRANGER_KEYS_PER_S, LIMITS_STRANGER_KEYS_BURST,
                now_ms);
    bucket_init(&limits->invited_keys, LIMITS_PEER_KEYS_PER_S, LIMITS_PEER_KEYS_BURST, now_ms);
    limits->origin_count = 0;
}

static bool is_familiar(const struct limits_origin *origin, uint64_t now_ms)
{
    return origin->familiar && now_ms - origin->peer_ms < LIMITS_FAMILIAR_MS;
}

/* Whether the place of `one` is given away before that of `other`. */
static bool goes_first(const struct limits_origin *one, const struct limits_origin *other,
                       uint64_t now_ms)
{
    if (is_familiar(one, now_ms) != is_familiar(other, now_ms))
        return is_familiar(other, now_ms);
    return one->hellos.last_ms < other->hellos.last_ms;
}

/* What is known of this origin; a new one takes the place of the stranger seen longest ago. */
static struct limits_origin *find_origin(struct limits *limits, const struct origin *origin,
                                         uint64_t now_ms)
{
    struct limits_origin *place = &limits->origins[0];
    for (unsigned i = 0; i < limits->origin_count; i++) {
        struct limits_origin *known = &limits->origins[i];
        if (memcmp(known->key, origin->key, ORIGIN_KEY_SIZE) == 0)
            return known;
        if (goes_first(known, place, now_ms))
            place = known;
    }
    if (limits->origin_count < LIMITS_ORIGINS_REMEMBERED)
        place = &limits->origins[limits->origin_count++];
    *place = (struct limits_origin){0};
    memcpy(place->key, origin->key, ORIGIN_KEY_SIZE);
    bucket_init(&place->hellos, LIMITS_ORIGIN_HELLOS_PER_S, LIMITS_ORIGIN_HELLOS_BURST, now_ms);
    return place;
}

void limits_note_peer(struct limits *limits, const struct origin *origin, uint64_t now_ms)
{
    struct limits_origin *known = find_origin(limits, origin, now_ms);
    known->familiar = true;
    known->peer_ms = now_ms;
}

bool limits_hello(struct limits *limits, const struct origin *origin, uint64_t now_ms)
{
    /* The origin pays first, so that one flooder can't empty the common budget. */
    struct limits_origin *known = find_origin(limits, origin, now_ms);
    return bucket_take(&known->hellos, now_ms) &&
           bucket_take(is_familiar(known, now_ms) ? &limits->familiar_hellos : &limits->hellos,
                       now_ms);
}

bool limits_stranger_key(struct limits *limits, uint64_t now_ms)
{
    return bucket_take(&limits->stranger_keys, now_ms);
}

bool limits_invited_key(struct limits *limits, uint64_t now_ms)
{
    return bucket_take(&limits->invited_keys, now_ms);
}
