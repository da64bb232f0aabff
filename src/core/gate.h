/*
 * What strangers may cost: budgets for handshakes and for our private key.
 */
#pragma once

#include "base/bucket.h"
#include "net/stream.h"

enum {
    GATE_STRANGERS_MAX = 256,     /* unauthenticated links at once … */
    GATE_PER_ORIGIN_MAX = 16,     /* … and of them from one origin */
    GATE_EVICTABLE_AGE_MS = 1000, /* younger ones are not dropped for a newcomer */
    GATE_HELLOS_PER_S = 200,
    GATE_HELLOS_BURST = 400,
    GATE_ORIGIN_HELLOS_PER_S = 20,
    GATE_ORIGIN_HELLOS_BURST = 20,
    GATE_STRANGER_KEYS_PER_S = 1, /* RSA private operations for keys that nobody knows */
    GATE_STRANGER_KEYS_BURST = 5,
    GATE_PEER_KEYS_PER_S = 2, /* and for one pinned peer, or for all that hold invites */
    GATE_PEER_KEYS_BURST = 10,
    GATE_PENDING_MAX = 4, /* sessions with unknown keys waiting for a person */
    GATE_ORIGINS_REMEMBERED = 512,
};

/* The budget of one origin. */
struct gate_origin {
    uint8_t key[ORIGIN_KEY_SIZE];
    struct bucket hellos;
};

struct gate {
    struct bucket hellos;
    struct bucket stranger_keys;
    struct bucket invited_keys;
    struct gate_origin origins[GATE_ORIGINS_REMEMBERED]; /* the least recently seen is forgotten */
    unsigned origin_count;
};

void gate_init(struct gate *gate, uint64_t now_ms);

/* Whether one more handshake from this origin may be served now. */
bool gate_hello(struct gate *gate, const struct origin *origin, uint64_t now_ms);

/* Whether our private key may be used once more for a stranger. */
bool gate_stranger_key(struct gate *gate, uint64_t now_ms);

/* The same for who proved to hold an invite of ours: strangers can't use up this share. */
bool gate_invited_key(struct gate *gate, uint64_t now_ms);
