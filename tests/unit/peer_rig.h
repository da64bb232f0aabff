/* SPDX-License-Identifier: ISC */
/*
 * A peer on a stage: the decision of when to dial is the real one, rounds only begin and end as the
 * test wants, and links and the store note what they are told.
 */
#pragma once

#include "core/peer.h"
#include "unit/fake_loop.h"

enum { START_MS = 1000000, WALL_MS = 1700000000, OWN = 5 };

struct session {
    enum session_role role;
    bool indirect;
};

struct stream {
    struct origin origin;
};

struct round {
    const struct round_events *events;
    struct peer *peer;
    struct link *attempt;
    struct address ways[DIAL_WAYS_MAX];
    unsigned way_count;
    enum dial_priority priority;
};

struct stage {
    struct runtime runtime;
    struct list stirred;
    struct observer observer;
    struct links links;
    struct peer *peer;
    struct session session;
    struct stream stream;
    struct link link;
    struct round *round; /* the latest */
    unsigned rounds;     /* that were started */
    int start_error;
    uint64_t queued;             /* messages for the peer */
    bool stays;                  /* its link would stay if another one came */
    unsigned closed;             /* links that we closed */
    unsigned unreached;          /* times that people were told */
    unsigned stored;             /* ways, how often … */
    char last[ADDRESS_HOST_MAX]; /* … and the latest one, "" for none */
};

extern struct stage stage;

/* Pinned, with a larger key than ours and one address. */
extern const struct peer_row bob;

/* Before and after each test: Bob is known, and nothing was tried. */
int peer_stage_set_up(void **state);
int peer_stage_tear_down(void **state);
