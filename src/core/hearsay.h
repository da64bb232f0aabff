/* SPDX-License-Identifier: ISC */
/*
 * Where a peer says that it can be reached. It may lie: what it says is dialled beside what people
 * gave, never instead; only what is public is taken, so that nobody makes us knock at machines of
 * our own network; and what does not work sits out. Pure: nothing is looked up or sent here.
 */
#pragma once

#include "base/address.h"
#include "proto/told.h"

enum {
    HEARSAY_LISTS_MAX = 12, /* lists of one peer within … */
    HEARSAY_WINDOW_MS = 60 * 1000,
    HEARSAY_PORT_MIN = 1024,
    HEARSAY_PER_NETWORK = 2, /* addresses of one /24 or /64 */
    HEARSAY_FAILURES_MAX = 5,
    HEARSAY_RETRY = 8,                /* a way that sits out is tried every so many rounds */
    HEARSAY_STORE_MS = 10 * 60 * 1000 /* from one write to the next */
};

#define HEARSAY_MEMORY_MS (UINT64_C(30) * 86400 * 1000)

struct hearsay_way {
    struct address address;
    unsigned failures; /* rounds in a row */
};

/* All zero for nothing heard. */
struct hearsay {
    struct hearsay_way *ways;
    unsigned count;
    unsigned rounds;    /* that were made with them */
    uint64_t told_ms;   /* wall clock */
    uint64_t stored_ms; /* wall clock, when it was written last; 0 for never */
    uint64_t window_ms; /* monotonic, since when … */
    unsigned lists;     /* … so many lists came */
};

void hearsay_deinit(struct hearsay *hearsay);

/* Whether one more list of a peer is looked at. */
bool hearsay_allowed(struct hearsay *hearsay, uint64_t now_ms);

/*
 * Of what is told, writes what may be dialled; `own` are addresses of this machine. How many.
 */
unsigned hearsay_choose(const struct address *told, unsigned count, const struct address *own,
                        unsigned own_count, struct address chosen[static TOLD_MAX]);

/*
 * Takes a list in place of the former one; what was told again gets a new chance. Whether it is
 * another list: 1, 0 or -ENOMEM.
 */
int hearsay_take(struct hearsay *hearsay, const struct address *list, unsigned count,
                 uint64_t wall_ms);

/* Whether to write it down now, of which it then takes note. */
bool hearsay_store_due(struct hearsay *hearsay, uint64_t wall_ms);

/* A dial of this way failed, if it is one. */
void hearsay_failed(struct hearsay *hearsay, const struct address *way);

/* The ways of the next round. How many. */
unsigned hearsay_next_round(struct hearsay *hearsay, uint64_t wall_ms,
                            struct address ways[static TOLD_MAX]);
