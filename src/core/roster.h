/*
 * The roster: every known peer, by name and by key.
 */
#pragma once

#include "core/peer.h"
#include "crypto/fingerprint.h"

struct roster {
    struct list list; /* oldest first */
    unsigned count;
};

void roster_init(struct roster *roster);
void roster_deinit(struct roster *roster);

/* Makes a peer of every stored row. 0 or -errno. */
int roster_load(struct roster *roster, struct node *owner, struct db *db);

/* Adds a peer, which the roster owns from then on. */
void roster_add(struct roster *roster, struct peer *peer);

/* Takes a peer out and frees it. */
void roster_remove(struct roster *roster, struct peer *peer);

/* Each NULL if there is none. */
struct peer *roster_by_name(const struct roster *roster, const char *name);
struct peer *roster_by_key(const struct roster *roster, const struct fingerprint *fingerprint);
struct peer *roster_by_id(const struct roster *roster, int64_t id);

/* Whether people may use this as a peer's name: 1 to 64 bytes of visible UTF-8 without spaces, '/',
 * ':' or a leading '-'. */
bool roster_name_valid(const char *name);

/* clang-format off */
#define roster_each(each, roster) \
    for (struct peer *each = roster_first(roster); each != NULL; each = roster_next(roster, each))
/* clang-format on */

struct peer *roster_first(const struct roster *roster);
struct peer *roster_next(const struct roster *roster, const struct peer *peer);
