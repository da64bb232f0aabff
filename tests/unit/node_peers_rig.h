/* SPDX-License-Identifier: ISC */
/*
 * A node of which only the peers are there: the roster holds two, the store and the links note what
 * is done to them.
 */
#pragma once

#include "core/node.h"
#include "core/node_state.h"
#include "unit/fake_loop.h"

enum { PEERS = 2, NEW_KEY = 9, OWN = 5 };

struct session {
    enum suite suite;
    bool pinged_lately;
};

struct stage {
    struct node node;
    struct peer peers[PEERS]; /* bob and carol, keys 1 and 2 */
    struct peer made;
    struct session session;
    struct link link;
    bool offline, hybrid;
    int error; /* the roster's next answer */
    unsigned adopted, updated, pinned, removed, granted;
    unsigned dials, at_once, stopped, forgotten;
    unsigned closed;
    enum close_code code; /* with which a link was closed last */
    int way_error, calls_error, removal_error, past_error, number;
    unsigned dropped; /* requests of a peer */
    unsigned looked;  /* for what runs out of files */
};

extern struct stage stage;

extern struct peer *const bob, *const carol;

/* Before and after each test: bob and carol are known, and nobody asks. */
int node_stage_set_up(void **state);
int node_stage_tear_down(void **state);

/* A key that begins with this byte, and is 0 else. */
struct fingerprint key_of(uint8_t first);
bool has_key(const struct peer *peer, const struct fingerprint *key);

/* Somebody with that key asks. */
void ask(uint8_t first, struct link *link);

/* The settings name this peer as the default. */
void name_default(const char *name);

/* One link was closed, with this code. */
void assert_closed(enum close_code code);
