/* SPDX-License-Identifier: ISC */
/*
 * Invites that we gave and nobody has used yet. Whether a joiner holds one is not known here.
 */
#pragma once

#include "store/peers.h"

enum { INVITE_ROW_ID_SIZE = 16 };

/* One invite as stored. */
struct invite_row {
    uint8_t id[INVITE_ROW_ID_SIZE]; /* what a joiner shows to name it */
    uint8_t secret[PEER_INVITE_SIZE];
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
