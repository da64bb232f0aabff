/* SPDX-License-Identifier: ISC */
/*
 * The roster: every known peer, in memory as in the store. Keys become peers here, and
 * peers get other names and keys; whether they may is decided above.
 */
#pragma once

#include "base/fingerprint.h"
#include "core/node_outcome.h"
#include "core/peer.h"

struct roster {
    const struct runtime *runtime;
    struct links *links;
    struct list list; /* oldest first */
    unsigned count;
    unsigned adopted; /* those that came by themselves and are used by nobody */
    unsigned online;  /* of those, as observers were told */
    struct hash by_key, by_name, by_id;
};

void roster_init(struct roster *roster, const struct runtime *runtime, struct links *links);
void roster_deinit(struct roster *roster);

/*
 * Makes memory say what the store says: there is a peer for every stored row, and no other. First,
 * and again after a turn was undone. 0 or -errno.
 */
int roster_load(struct roster *roster);

/* --- finding ---------------------------------------------------------------------------------- */

/* Each NULL if there is none. */
struct peer *roster_by_name(const struct roster *roster, const char *name);
struct peer *roster_by_key(const struct roster *roster, const struct fingerprint *fingerprint);
struct peer *roster_by_id(const struct roster *roster, int64_t id);

/* clang-format off */
#define roster_each(each, roster) \
    for (struct peer *each = roster_first(roster); each != NULL; each = roster_next(roster, each))
/* clang-format on */

struct peer *roster_first(const struct roster *roster);
struct peer *roster_next(const struct roster *roster, const struct peer *peer);

/* --- names ------------------------------------------------------------------------------------ */

/* Whether a peer may get this name: 0, NODE_BAD_NAME or NODE_NAME_TAKEN. */
int roster_check_name(const struct roster *roster, const char *name);

/* Whether a name that somebody else suggests may be taken: modest, and like nobody's. */
bool roster_name_suits(const struct roster *roster, const char *name);

/* A name for a peer that nobody has named: the beginning of its fingerprint. */
void roster_make_name(const struct fingerprint *key, char name[static PEER_NAME_MAX]);

/* Whether the peer came by itself and nobody has named or verified it, or knows where it is. */
bool roster_unnamed(const struct peer *peer);

/* --- changing: 0, an outcome (NODE_DISK_FULL of each) or -errno ------------------------------- */

/*
 * Makes a peer of a row with everything but its id and time. NODE_BAD_NAME, NODE_NAME_TAKEN,
 * NODE_KEY_TAKEN, NODE_OWN_KEY.
 */
int roster_add(struct roster *roster, struct peer_row *row, struct peer **peer);

/* Makes a peer of a key, without addresses; `name` may be NULL for one made of the key. The same.
 */
int roster_adopt(struct roster *roster, const char *name, const struct fingerprint *key,
                 enum peer_trust trust, struct peer **peer);

/* Stores a row of a peer that people changed, and takes it over. NODE_NAME_TAKEN. */
int roster_update(struct roster *roster, struct peer *peer, const struct peer_row *row);

/*
 * Pins a key to a peer, which ends all doubt about it and the use of an invite. With another key
 * than before, it is only looked for where people say that it is. NODE_KEY_TAKEN.
 */
int roster_pin(struct roster *roster, struct peer *peer, const struct fingerprint *key,
               enum peer_trust trust);

/* Another key than its own answered in the peer's place: nothing is sent until people decide. */
int roster_doubt(struct roster *roster, struct peer *peer, const struct fingerprint *key);

/* The peer was met and can do these features; stored if that is news, and to be kept. */
int roster_note_features(struct roster *roster, struct peer *peer, uint32_t features, bool keep);

/*
 * Two peers are one: `nameless` gets the name, the addresses and the dial of `keyless`, of which
 * nothing else remains: it is freed.
 */
int roster_merge(struct roster *roster, struct peer *nameless, struct peer *keyless);

/* Ends the peer's links and forgets it: the peer is freed. */
int roster_remove(struct roster *roster, struct peer *peer);

/* Somebody here has to do with the peer, even if it came by itself. */
int roster_use(struct roster *roster, struct peer *peer);
