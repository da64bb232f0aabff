/* SPDX-License-Identifier: ISC */
/*
 * Invites that we gave and nobody has used yet. Whether a joiner holds one is not known here: their
 * secrets arrive sealed.
 */
#pragma once

#include "base/bytes.h"
#include "store/peers.h"

enum { INVITE_ROW_ID_SIZE = 16 };

/* One invite as stored. */
struct invite_row {
    uint8_t id[INVITE_ROW_ID_SIZE];          /* what a joiner shows to name it */
    uint8_t sealed[PEER_INVITE_SEALED_SIZE]; /* its secret */
    char name[PEER_NAME_MAX]; /* of the peer that it makes; "" for one made of the key */
    uint64_t created_ms;      /* wall clock */
    uint64_t expires_ms;
};

/* 0, DB_EXISTS, DB_FULL or -EIO. */
int invites_add(struct db *db, const struct invite_row *row);

/* The invite of this id, expired or not. 0, DB_NOT_FOUND or -EIO. */
int invites_get(struct db *db, const uint8_t id[static INVITE_ROW_ID_SIZE], struct invite_row *row);

/* Forgets an invite: it was used, or is not wanted any more. 0, DB_NOT_FOUND, DB_FULL or -EIO. */
int invites_remove(struct db *db, const uint8_t id[static INVITE_ROW_ID_SIZE]);

/* Forgets those that expired before `now_ms`. 0, DB_FULL or -EIO. */
int invites_expire(struct db *db, uint64_t now_ms);

/* Visits all, oldest first, until `visit` returns < 0. 0 or -errno. */
int invites_each(struct db *db, int (*visit)(void *context, const struct invite_row *row),
                 void *context);

/*
 * Seals the secret of an invite: one that we gave, with this id, or one that this key gave us. From
 * PEER_INVITE_SIZE bytes into PEER_INVITE_SEALED_SIZE. 0 or -errno.
 */
typedef int invites_seal(void *context, bool given, struct span owner, const uint8_t *secret,
                         uint8_t *sealed);

/*
 * Older versions stored secrets as they are: those are sealed, and gone from the files after the
 * commit. 0, DB_FULL, -EIO or what `seal` fails with.
 */
int invites_seal_all(struct db *db, invites_seal *seal, void *context);
