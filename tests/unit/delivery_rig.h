/* SPDX-License-Identifier: ISC */
/*
 * Delivery on a stage: a real store, and a session that only notes what it is given. Links, peers
 * and housekeeping are stand-ins that answer what a test has set.
 */
#pragma once

#include "core/delivery.h"
#include "core/peer.h"
#include "unit/scratch_db.h"

enum { NOW_MS = 5000000, GIVEN_MAX = 2 * SESSION_WINDOW_ITEMS };

struct session {
    struct session_item items[GIVEN_MAX]; /* what it was given, without the texts … */
    char first_text[16];                  /* … but for the first */
    size_t given, acked;
    int refusal; /* what it answers to more, or 0 */
};

struct stage {
    struct scratch *scratch;
    struct turn turn;
    struct runtime runtime;
    struct housekeeping housekeeping;
    struct body_sealer *body_sealer;
    struct delivery delivery;
    struct list stirred;
    struct session session;
    struct link link;
    struct peer peer;
    bool link_open, trusted, room, spent;
    enum close_code closed; /* why we closed the link; CLOSE_NORMAL while we did not */
    int failure;
};

extern struct stage stage;

/* For each test: an open session, with nothing given. */
int stage_set_up(void **state);
int stage_tear_down(void **state);

/* Another session opens. */
void open_session(void);

/* Queues message n with this as its sealed form; with the text "hello". Their seq. */
int64_t queue_sealed(unsigned n, struct span sealed);
int64_t queue(unsigned n);

/* delivery_pump(). */
int pump(void);

/* The peer has these. */
void acknowledge(uint64_t first, uint64_t ordinal);

/* The session ends, with this code by one of the two. */
void end_session(enum close_code code, bool by_peer);

enum message_state state_of(int64_t seq);

/* What the session was given at this place: message n, after `previous` (0: none). */
void assert_given(size_t index, unsigned n, unsigned previous);
