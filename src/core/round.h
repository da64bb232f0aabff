/* SPDX-License-Identifier: ISC */
/*
 * One round of dialling a peer: a race over its ways, and the handshakes over the connections that
 * it brings, one at a time, until one becomes the peer's link or no way is left.
 */
#pragma once

#include "core/attempts.h"
#include "core/links.h"
#include "core/redial.h"
#include "net/dialer.h"
#include "proto/gone.h"

enum {
    ROUND_PATIENCE_MS = 1000, /* with a connection on which nobody answers, if there is another */
    ROUND_ANSWERS_MAX = 3,    /* handshakes that the peer has worked for, in vain */
};

struct round;

/*
 * What the end of a link means for dialling. What the other side says before it has proved who it
 * is may be a lie, so nothing of it ends the dialling for good.
 */
enum redial_event round_event_of(const struct link_end *end);

/* What a handshake begins with. */
struct round_greeting {
    const uint8_t *invite_secret; /* as in session_settings, borrowed */
    struct gone gone;             /* likewise */
    bool given;                   /* people gave the way that it goes over */
};

/* What the owner is asked and told. */
struct round_events {
    /* A handshake is about to begin over this way: fills what it begins with. */
    void (*greet)(const struct peer *peer, const struct address *way,
                  struct round_greeting *greeting);
    /* A handshake began. */
    void (*joined)(struct peer *peer);
    /* What came of one way; nothing may be freed. */
    void (*failed)(struct peer *peer, const struct address *way, enum attempt_end outcome,
                   const char *error);
    /* The round is over without a link, as redial_note() wants to know it. It is to be freed. */
    void (*over)(struct peer *peer, struct round *round, enum redial_event event);
};

/* What a round is made of; all but the ways, which are copied, outlives it. */
struct round_parts {
    const struct runtime *runtime;
    struct links *links;
    struct peer *peer;
    enum dial_priority priority;
    const struct address *ways;
    unsigned way_count;
    const struct round_events *events;
};

/* Starts a round. 0 or -errno. */
int round_start(struct round **round, const struct round_parts *parts);

/* Gives up the race; the handshake that goes on, if there is one, belongs to nobody then. */
void round_free(struct round *round);

/* The link of the handshake that goes on, or NULL. */
struct link *round_attempt(const struct round *round);

/* Monotonic. */
uint64_t round_since(const struct round *round);

/* The handshake came to nothing. The owner may be told `over`. */
void round_attempt_ended(struct round *round, const struct link_end *end);

/*
 * There is a link now, perhaps that of the handshake: nothing more is dialled. A handshake of
 * another link goes on, because only both sides together can tell which one to keep. False when
 * nothing is left and the round is to be freed.
 */
bool round_settle(struct round *round, const struct link *link);

/* The round is one of another peer from now on. */
void round_move(struct round *round, struct peer *peer);
