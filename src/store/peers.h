/* SPDX-License-Identifier: ISC */
/*
 * Peers in the store: names, pinned keys, addresses and trust.
 *
 * A removed peer's row stays as long as its history; its name and key are free for others.
 */
#pragma once

#include "store/db_types.h"
#include "store/peer_row.h"

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
