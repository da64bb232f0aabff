/* SPDX-License-Identifier: ISC */
/*
 * Peers in the store: names, pinned keys, addresses and trust.
 *
 * A removed peer's row stays as long as its history; its name and key are free for others.
 */
#pragma once

#include "base/address.h"
#include "store/db.h"

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

/* Inserts and sets row->id. 0, DB_EXISTS (name or key taken), DB_FULL or -EIO. */
int peers_add(struct db *db, struct peer_row *row);

/*
 * Stores everything in the row but the features and instances. A key that is replaced goes to the
 * record of old keys. 0, DB_NOT_FOUND, DB_EXISTS, DB_FULL or -EIO.
 */
int peers_update(struct db *db, const struct peer_row *row, uint64_t now_ms);

/*
 * Stores by which numeric address there was a session last; NULL for none. 0, DB_FULL or -EIO.
 */
int peers_set_last(struct db *db, int64_t id, const struct address *last, uint64_t now_ms);

enum { PEER_TOLD_MAX = 16 };

/* Stores the addresses that a peer told of itself, in place of the former ones. The same. */
int peers_set_told(struct db *db, int64_t id, const struct address *told, unsigned count,
                   uint64_t time_ms);

/* Reads them: how many, or -EIO; `time_ms` is when they were told. */
int peers_get_told(struct db *db, int64_t id, struct address told[static PEER_TOLD_MAX],
                   uint64_t *time_ms);

/* What the peer can do, as it said last; the rest of the row stays. 0, DB_FULL or -EIO. */
int peers_set_features(struct db *db, int64_t id, uint32_t features);

/* Stores the row's instances; its rest stays. 0, DB_FULL or -EIO. */
int peers_set_instances(struct db *db, const struct peer_row *row);

/* A key that a peer had before. */
struct peer_old_key {
    uint8_t key[PEER_KEY_SIZE];
    uint64_t replaced_ms; /* wall clock */
};

/* Visits the keys that a peer had before, oldest first, until `visit` returns < 0. 0 or -errno. */
int peers_old_keys(struct db *db, int64_t id,
                   int (*visit)(void *context, const struct peer_old_key *old), void *context);

/* The peer counts no longer as adopted. 0, DB_FULL or -EIO. */
int peers_set_used(struct db *db, int64_t id);

/*
 * Marks as removed. What is queued for it is cancelled by the caller first. 0, DB_NOT_FOUND,
 * DB_FULL or -EIO.
 */
int peers_remove(struct db *db, int64_t id, uint64_t now_ms);

/*
 * The row of the peer removed last of this name, or of this key (NULL: by its name only). 0,
 * DB_NOT_FOUND or -EIO.
 */
int peers_find_removed(struct db *db, const char *name, const uint8_t *key, int64_t *id);

/* The removed peer with the next greater id. 0, DB_NOT_FOUND or -EIO. */
int peers_next_removed(struct db *db, int64_t after, int64_t *id);

/*
 * Calls `visit` for every peer that is not removed, oldest first, until it returns < 0. 0 or -errno
 * of either.
 */
int peers_each(struct db *db, int (*visit)(void *context, const struct peer_row *row),
               void *context);
