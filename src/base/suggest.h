/* SPDX-License-Identifier: ISC */
/*
 * "Did you mean": the word of a list that a mistyped one is nearest to.
 *
 * Offer every word there is, then look at `best`. Words are compared byte by byte; one change is a
 * byte too many, too few or wrong, or two neighbours swapped.
 */
#pragma once

enum { SUGGEST_WORD_MAX = 64 }; /* bytes; longer words are never suggested */

struct suggestion {
    const char *word;  /* as it was typed */
    const char *best;  /* the nearest word offered so far, borrowed; NULL: none is near enough */
    unsigned distance; /* how many changes away it is */
};

/* One for a word, without any offer yet. */
struct suggestion suggest_for(const char *word);

void suggest_offer(struct suggestion *suggestion, const char *candidate);
