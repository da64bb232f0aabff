/* SPDX-License-Identifier: ISC */
/*
 * What is in flight to one peer: which messages of its queue the present session was given and the
 * peer has yet to acknowledge. Neither the store nor the session is touched here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/session_types.h"
#include "store/queue.h"

enum { INFLIGHT_POISON_SESSIONS = 3 }; /* ended by the same item, then it is poison */

struct inflight {
    int64_t *seqs;                  /* ring of SESSION_WINDOW_ITEMS: seq of ordinal n at n % size */
    struct queue_position position; /* of the last item given to the session */
    uint64_t given;                 /* ordinal of the last item given to the session */
    uint64_t acked;                 /* highest ordinal acknowledged */
    int64_t poison_seq;    /* oldest in flight when the peer last could not take an item … */
    unsigned poison_count; /* … and how many sessions in a row ended so */
    bool due;              /* there may be more to give, or room for it */
};

void inflight_init(struct inflight *inflight);
void inflight_deinit(struct inflight *inflight);

/* A session begins, with nothing given. 0 or -ENOMEM. */
int inflight_start(struct inflight *inflight);

/* The session is over: nothing is in flight, and where the next one begins is forgotten. */
void inflight_end(struct inflight *inflight);

/* Whether the session takes one more. Under suspicion messages go one by one, so that a good one
 * never stands for the bad one behind it. */
bool inflight_has_room(const struct inflight *inflight);

/* A message was given to the session, as its next item. */
void inflight_give(struct inflight *inflight, int64_t seq);

/* The oldest that is not acknowledged, or 0. */
int64_t inflight_oldest(const struct inflight *inflight);

/* The oldest is acknowledged. */
void inflight_land(struct inflight *inflight);

/*
 * The peer ended the session for what it was sent. The message that has now been the oldest in
 * in flight at INFLIGHT_POISON_SESSIONS such ends in a row, or 0.
 */
int64_t inflight_blame(struct inflight *inflight);
