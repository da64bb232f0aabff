/* SPDX-License-Identifier: ISC */
/*
 * When to dial a peer, and which class of its ways: facts in, decision out. No peer, socket, clock
 * or store is touched here. Whom, and in which order, is in core/ways.
 *
 * Direct ways come first. Indirect ones, which lead through something that is neither the peer nor
 * we, get their turn two seconds later, or at once when the direct ones are known to fail; and
 * while a link is indirect, the direct ways are tried again, more and more rarely.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum redial_class {
    REDIAL_INDIRECT,
    REDIAL_DIRECT, /* the better one is larger */
    REDIAL_CLASSES,
};

enum redial_link {
    REDIAL_UNLINKED,
    REDIAL_LINKED_INDIRECT,
    REDIAL_LINKED_DIRECT,
};

/* What is remembered of a peer between decisions; zero of a new one. Times are monotonic. */
struct redial {
    uint64_t due_ms[REDIAL_CLASSES];   /* not before */
    unsigned failures[REDIAL_CLASSES]; /* rounds in a row without a link */
    unsigned refusals;                 /* in a row */
    bool displaced;                    /* another one with our key has the link */
    unsigned unproven;                 /* rounds in a row in which somebody proved no key */
    unsigned short_lived;              /* direct links in a row that broke within a minute */
    uint64_t online_ms;                /* when there was a session last; 0 for never */
};

struct redial_facts {
    uint64_t now_ms;
    uint32_t random;
    bool may;                          /* not stopping, silenced or blocked */
    bool cloned;                       /* another one has our key */
    bool has_queue;                    /* something waits for the peer */
    bool yields;                       /* its key is known, and ours is the larger fingerprint */
    unsigned ways[REDIAL_CLASSES];     /* how many there are */
    uint64_t round_ms[REDIAL_CLASSES]; /* when the round that goes on began; 0 for none */
    enum redial_link link;
    uint64_t link_ms; /* since when */
};

enum redial_event {
    REDIAL_START,     /* of the process */
    REDIAL_ASKED,     /* by people: connect, other addresses, unblocked */
    REDIAL_URGED,     /* something was queued */
    REDIAL_NETWORK,   /* our addresses or routes changed, or we woke up */
    REDIAL_FAILED,    /* the round of this class ended without a link … */
    REDIAL_REFUSED,   /* … because it refuses us */
    REDIAL_UNPROVEN,  /* … because somebody could not prove the key */
    REDIAL_BUSY,      /* … because it has no time */
    REDIAL_DUPLICATE, /* … because it keeps another link */
    REDIAL_OPENED,    /* a session of this class */
    REDIAL_LOST,      /* that session ended, and not by the rule of two links */
};

/* Whom to dial now, and when to ask again; UINT64_MAX for not before the next event. */
struct redial_plan {
    bool now[REDIAL_CLASSES];
    uint64_t at_ms;
};

/* Remembers what happened to `class`; events that are of no class disregard it. */
void redial_note(struct redial *redial, const struct redial_facts *facts, enum redial_event event,
                 enum redial_class class);

struct redial_plan redial_decide(const struct redial *redial, const struct redial_facts *facts);
