/* SPDX-License-Identifier: ISC */
/*
 * Adoption: with `unknown-peers = accept` whoever comes becomes a peer. Of those with whom nobody
 * here has had to do since, there are only so many.
 */
#pragma once

#include "core/roster.h"

enum { ADOPTION_TELL_MS = 3600 * 1000 }; /* people are not told more often that it is full */

struct adoption {
    struct runtime *runtime;
    struct roster *roster;
    bool told;        /* that there is no place … */
    uint64_t told_ms; /* … monotonic, when */
};

/* Whether there is a place for one more; if not, people are told. */
bool adoption_has_place(struct adoption *adoption);

/* Makes a peer of a key that nobody knows. What roster_add() returns. */
int adoption_take(struct adoption *adoption, const struct fingerprint *key, struct peer **peer);
