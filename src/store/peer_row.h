/* SPDX-License-Identifier: ISC */
/*
 * What the store has of one peer: store/peers.h reads and writes it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

enum {
    PEER_NAME_CHARACTERS = 64,
    PEER_NAME_MAX = 4 * PEER_NAME_CHARACTERS + 1, /* bytes, with the NUL */
    PEER_KEY_SIZE = 32,                           /* a fingerprint */
    PEER_ADDRESSES_MAX = 8,
    PEER_INVITE_SIZE = 16, /* the secret of an invite */
    PEER_INSTANCE_SIZE = 16,
    PEER_INVITE_SEALED_SIZE = 48,
};

enum peer_trust {
    PEER_UNPINNED = 0, /* never met: the first key at its address, or its invite's, becomes its */
    PEER_TOFU = 1,     /* pinned at first contact */
    PEER_VERIFIED = 2, /* pinned by invite, fingerprint or compared safety number */
    PEER_CHANGED = 3,  /* another key answered in its place: nothing is sent until a decision */
    PEER_BLOCKED = 4,
};

/* One peer as stored. */
struct peer_row {
    int64_t id;
    char name[PEER_NAME_MAX];
    bool pinned;
    uint8_t key[PEER_KEY_SIZE]; /* if pinned */
    enum peer_trust trust;
    bool offered; /* CHANGED: the key that answered in its place */
    uint8_t offered_key[PEER_KEY_SIZE];
    bool invited; /* it gave us an invite, which we show until it has let us in */
    uint8_t invite_sealed[PEER_INVITE_SEALED_SIZE]; /* as it is stored, … */
    uint8_t invite_secret[PEER_INVITE_SIZE]; /* … and opened: for who reads it to fill in */
    bool require_pq;                         /* no session but in a post-quantum suite */
    struct address addresses[PEER_ADDRESSES_MAX];
    unsigned address_count;
    struct address last; /* as peers_set_last() stored it, and nobody else; no host for none */
    uint64_t created_ms; /* wall clock */
    bool adopted;        /* it came by itself, and nobody here has had to do with it since */
    bool met;            /* it was seen, and has said what it can do: */
    uint32_t features;   /* bits of the protocol; peers_set_features() */
    /* Which two of all that have its key were here last, all zero for none; peers_set_instances()
     */
    uint8_t instance[PEER_INSTANCE_SIZE], instance_before[PEER_INSTANCE_SIZE];
};
