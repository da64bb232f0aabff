/* SPDX-License-Identifier: ISC */
/*
 * What strangers may cost: budgets for handshakes and for our private key.
 */
#pragma once

#include "base/bucket.h"
#include "net/stream.h"

enum {
    LIMITS_STRANGERS_MAX = 256,     /* unauthenticated links at once … */
    LIMITS_PER_ORIGIN_MAX = 16,     /* … and of them from one origin */
    LIMITS_EVICTABLE_AGE_MS = 1000, /* younger ones are not dropped for a newcomer */
    LIMITS_HELLOS_PER_S = 200,
    LIMITS_HELLOS_BURST = 400,
    LIMITS_ORIGIN_HELLOS_PER_S = 20,
    LIMITS_ORIGIN_HELLOS_BURST = 20,
    LIMITS_FAMILIAR_HELLOS_PER_S = 50, /* … and of those from where a peer came in lately … */
    LIMITS_FAMILIAR_HELLOS_BURST = 100,
    LIMITS_FAMILIAR_MS = 24 * 3600 * 1000, /* … which is this long ago at most */
    LIMITS_STRANGER_KEYS_PER_S = 1,        /* RSA private operations for keys that nobody knows */
    LIMITS_STRANGER_KEYS_BURST = 5,
    LIMITS_PEER_KEYS_PER_S = 2, /* and for one pinned peer, or for all that hold invites */
    LIMITS_PEER_KEYS_BURST = 10,
    LIMITS_PENDING_MAX = 4, /* sessions with unknown keys waiting for a person */
    LIMITS_ORIGINS_REMEMBERED = 512,
};

/* The budget of one origin. */
struct limits_origin {
    uint8_t key[ORIGIN_KEY_SIZE];
    struct bucket hellos;
    bool familiar;    /* a peer came in from there … */
    uint64_t peer_ms; /* … monotonic, when last */
};

struct limits {
    struct bucket hellos;
    struct bucket familiar_hellos;
    struct bucket stranger_keys;
    struct bucket invited_keys;
    struct limits_origin
        origins[LIMITS_ORIGINS_REMEMBERED]; /* the least recently seen is forgotten */
    unsigned origin_count;
};

void limits_init(struct limits *limits, uint64_t now_ms);

/* Whether one more handshake from this origin may be served now. */
bool limits_hello(struct limits *limits, const struct origin *origin, uint64_t now_ms);

/*
 * A peer has come in from there: for a while the handshakes of this origin have a budget that
 * strangers from elsewhere can't use up.
 */
void limits_note_peer(struct limits *limits, const struct origin *origin, uint64_t now_ms);

/* Whether our private key may be used once more for a stranger. */
bool limits_stranger_key(struct limits *limits, uint64_t now_ms);

/* The same for a joiner that proved to hold an invite of ours: strangers can't use up this share.
 */
bool limits_invited_key(struct limits *limits, uint64_t now_ms);
