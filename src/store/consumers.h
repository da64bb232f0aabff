/* SPDX-License-Identifier: ISC */
/*
 * Consumers in the store: named followers and how far each has come.
 */
#pragma once

#include "store/db.h"

enum {
    CONSUMER_NAME_MAX = 65, /* with the NUL */
    CONSUMERS_MAX = 256,    /* names that are remembered */
};

/* One consumer. In a visitor, the name lives until it returns. */
struct consumer_row {
    const char *name;
    int64_t seq;      /* of the last event that it acknowledged, or before which it began */
    uint64_t used_ms; /* wall clock, when it last began or acknowledged */
};

/* Where a consumer stands. 0, DB_NOT_FOUND or -EIO. */
int consumers_find(struct db *db, const char *name, int64_t *seq);

/*
 * Adds a consumer or moves it forward; it never goes back. A new one beyond CONSUMERS_MAX takes the
 * place of the one used least lately. 0, DB_FULL or -EIO.
 */
int consumers_set(struct db *db, const struct consumer_row *row);

/* Forgets a consumer. 0, DB_NOT_FOUND, DB_FULL or -EIO. */
int consumers_remove(struct db *db, const char *name);

/* Visits all, by name, until `visit` returns < 0. 0 or -errno of either. */
int consumers_each(struct db *db, int (*visit)(void *context, const struct consumer_row *row),
                   void *context);
