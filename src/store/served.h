/* SPDX-License-Identifier: ISC */
/*
 * Services that stay known while nobody provides them, so that requests for them wait: their names,
 * their users, and the peers that may call each.
 */
#pragma once

#include "store/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SERVED_PEERS_MAX = 64 };

struct served_row {
    const char *name; /* in a visitor, until it returns */
    uint32_t uid;
    bool tofu;                       /* a key that nobody has verified will do */
    bool everybody;                  /* every trusted peer … */
    int64_t peers[SERVED_PEERS_MAX]; /* … or these, by their ids */
    unsigned peer_count;
};

/* Adds a service, or replaces the one of this name. 0, DB_FULL or -EIO. */
int served_put(struct db *db, const struct served_row *row);

/* Forgets one, if it is known. 0, DB_FULL or -EIO. */
int served_remove(struct db *db, const char *name);

/* The peer `from` became `to`: services for the one are for the other. 0, DB_FULL or -EIO. */
int served_merge(struct db *db, int64_t from, int64_t to);

/* Visits all; < 0 ends the walk and is passed on. 0 or -errno. */
typedef int served_visit(void *context, const struct served_row *row);
int served_each(struct db *db, served_visit *visit, void *context);
