/* SPDX-License-Identifier: ISC */
/*
 * Requests on a stage: a real store, and stand-ins for time, peers and who provides.
 */
#pragma once

#include "core/calls.h"
#include "core/peer.h"
#include "unit/fake_loop.h"
#include "unit/scratch_db.h"

enum {
    WALL_MS = 50000000, /* by the wall clock, when the other one says 0 */
    ASK_S = 100,        /* the time of each request */
    RESULTS_MAX = 80,
    PEERS = 20,
};

/* What a peer was answered, or a provider was given. */
struct told {
    struct uuid id;
    int64_t peer;
    uint8_t outcome, status;
    char body[8];
};

struct stage {
    struct scratch *scratch;
    struct runtime runtime;
    struct observer observer;
    struct housekeeping housekeeping;
    struct body_sealer *body_sealer;
    struct services services;
    struct roster roster;
    struct calls calls;
    struct peer peers[PEERS];
    bool room;
    unsigned given, stopped; /* what providers were told */
    struct told last_given;
    struct told results[RESULTS_MAX]; /* what peers were answered, peer by peer, oldest first */
    unsigned result_count;
};

extern struct stage stage;
extern struct peer *const alice, *const bob;
extern int server, another; /* only their addresses count */

/* For each test: all peers are verified, and nothing is provided. */
int stage_set_up(void **state);
int stage_tear_down(void **state);

/* The turn ends well; stage.results is read anew. */
void turn(void);

/* It is so late now, and what the timer was for is done when the turn ends. */
void turn_at(uint64_t now_ms);

/* The turn is undone: nothing of it is on disk. */
void undo(void);

/* The daemon is killed, and comes back. */
void crash(void);

/* The peer asks `it`: message n. */
void ask(struct peer *peer, unsigned n);

/* It takes back its message n. */
void cancel(struct peer *peer, unsigned n);

/* Somebody, or for NULL nobody, provides `it` for everybody, two at once, and has these running. */
void serve(void *by, uint8_t instance, const unsigned *running, size_t count);

/* calls_answer() that it ended with this status, and said "out". */
int answer(const void *by, unsigned n, uint8_t status);

/* How many requests of `it` are how. */
void assert_counts(unsigned waiting, unsigned running);

/* The result at this place is of message n. */
void assert_result(unsigned index, unsigned n, enum result_kind outcome);
