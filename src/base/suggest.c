/* SPDX-License-Identifier: ISC */
/*
 * "Did you mean": the edit distance of Damerau and Levenshtein, without edits of swapped pairs.
 */
#include "base/suggest.h"

#include <limits.h>
#include <string.h>

struct suggestion suggest_for(const char *word)
{
    return (struct suggestion){.word = word, .distance = UINT_MAX};
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Neither word is longer than SUGGEST_WORD_MAX. */
static unsigned distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    /* The last three rows of the table: distances of the first bytes of `a` to those of `b`. */
    unsigned rows[3][SUGGEST_WORD_MAX + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b_size; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a_size; i++) {
        unsigned *const oldest = before;
        before = above;
        above = row;
        row = oldest;
        row[0] = i;
        for (unsigned j = 1; j <= b_size; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[b_size];
}

/* A longer word may have more mistakes; in a word of two everything would be near. */
static unsigned tolerated(size_t size)
{
    return size <= 2 ? 0 : size <= 5 ? 1 : size <= 8 ? 2 : 3;
}

void suggest_offer(struct suggestion *suggestion, const char *candidate)
{
    const size_t size = strlen(suggestion->word), its_size = strlen(candidate);
    if (size > SUGGEST_WORD_MAX || its_size > SUGGEST_WORD_MAX)
        return;
    const unsigned away = distance(suggestion->word, size, candidate, its_size);
    if (away > tolerated(its_size > size ? its_size : size) || away >= suggestion->distance)
        return;
    suggestion->best = candidate;
    suggestion->distance = away;
}
