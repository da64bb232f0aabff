/*
 * What strangers may cost.
 */
#include "core/gate.h"

#include <string.h>

void gate_init(struct gate *gate, uint64_t now_ms)
{
    bucket_init(&gate->hellos, GATE_HELLOS_PER_S, GATE_HELLOS_BURST, now_ms);
    bucket_init(&gate->stranger_keys, GATE_STRANGER_KEYS_PER_S, GATE_STRANGER_KEYS_BURST, now_ms);
    bucket_init(&gate->invited_keys, GATE_PEER_KEYS_PER_S, GATE_PEER_KEYS_BURST, now_ms);
    gate->origin_count = 0;
}

/* The budget of this origin; a new origin takes the place of the one seen longest ago. */
static struct bucket *find_origin(struct gate *gate, const struct origin *origin, uint64_t now_ms)
{
    struct gate_origin *place = &gate->origins[0];
    for (unsigned i = 0; i < gate->origin_count; i++) {
        struct gate_origin *known = &gate->origins[i];
        if (memcmp(known->key, origin->key, ORIGIN_KEY_SIZE) == 0)
            return &known->hellos;
        if (known->hellos.last_ms < place->hellos.last_ms)
            place = known;
    }
    if (gate->origin_count < GATE_ORIGINS_REMEMBERED)
        place = &gate->origins[gate->origin_count++];
    memcpy(place->key, origin->key, ORIGIN_KEY_SIZE);
    bucket_init(&place->hellos, GATE_ORIGIN_HELLOS_PER_S, GATE_ORIGIN_HELLOS_BURST, now_ms);
    return &place->hellos;
}

bool gate_hello(struct gate *gate, const struct origin *origin, uint64_t now_ms)
{
    /* The origin pays first, so that one flooder can't empty the common budget. */
    return bucket_take(find_origin(gate, origin, now_ms), now_ms) &&
           bucket_take(&gate->hellos, now_ms);
}

bool gate_stranger_key(struct gate *gate, uint64_t now_ms)
{
    return bucket_take(&gate->stranger_keys, now_ms);
}

bool gate_invited_key(struct gate *gate, uint64_t now_ms)
{
    return bucket_take(&gate->invited_keys, now_ms);
}
