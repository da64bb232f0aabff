/* SPDX-License-Identifier: ISC */
/*
 * One link: a TCP connection and the session on it, kept in step.
 *
 * Bytes go from the stream to the session and back; events go to whoever made the link. Nothing is
 * sent from inside a callback: link_flush() does it at the end of the turn, after the commit, and
 * link_reap() frees what has ended.
 */
#pragma once

#include "base/list.h"
#include "core/trust.h"
#include "core/turn.h"
#include "net/stream.h"
#include "proto/session.h"

enum { LINK_LINGER_MS = 2000 }; /* to get rid of our last words, and then for the other's FIN */

struct peer;

enum link_state {
    LINK_ACTIVE,    /* the session lives */
    LINK_FINISHING, /* the session is over; its last words are on their way */
    LINK_LINGERING, /* they are sent; waiting for the other side to close */
    LINK_DEAD,      /* to be freed at the end of the turn */
};

/* Why a link ended. */
struct link_end {
    bool coded; /* one side said `code`; else the connection broke */
    enum close_code code;
    bool by_peer;
    const char *detail; /* static text, or NULL */
};

/* The reason of an end for people; static or in `text`. */
const char *link_end_text(const struct link_end *end, char *text, size_t size);

struct link;

/* What the maker of a link is told. All but `ended` come while the link is LINK_ACTIVE. */
struct link_events {
    bool (*greeted)(void *context,
                    struct link *link); /* first bytes of a stranger: may it go on? */
    void (*event)(void *context, struct link *link, const struct session_event *event);
    void (*ended)(void *context, struct link *link, const struct link_end *end);
};

struct link {
    struct list node; /* in one list of links.h */
    struct stream *stream;
    struct session *session;
    struct timer *timer;
    struct loop *loop;
    struct turn *turn;
    struct turn_share share; /* what it has had of the turn */
    struct list touched;     /* in the list of those to look at when the turn ends */
    struct list behind;      /* in the list of those that had all of it: link_go_on() has work */
    const struct link_events *events;
    void *context;
    enum link_state state;
    bool dirty;                 /* link_flush() has work */
    bool counted;               /* among the established ones */
    bool greeted;               /* the other side has sent something */
    bool is_own;                /* its other end is this process, too */
    uint64_t rival_ms;          /* monotonic: a newer one had to give way to it; 0 for never … */
    bool rival_answered;        /* … and it has answered since */
    bool doubted;               /* the network changed: it is to be asked whether it is alive */
    uint64_t started_ms;        /* monotonic */
    uint64_t arrivals;          /* of ours at the other kernel, when we looked last */
    struct peer *peer;          /* whom it is expected or known to lead to, or NULL */
    bool given;                 /* dialled: people gave the address, the peer did not just say so */
    enum trust_verdict verdict; /* on the identity, since SESSION_IDENTIFIED */
    bool establish_due;         /* session_establish() is to be called after the commit */
    bool declined;              /* an item was not taken: then none after it is */
    uint64_t held_until_ms;     /* monotonic, how long it is not read from; 0: it is */
    struct bytes told;          /* which addresses of ours the other side was told last … */
    uint64_t told_ms;           /* … and when, monotonic */
    bool untold;                /* they may have changed since */
    uint64_t ack_due;           /* highest ordinal to acknowledge after the commit; 0 for none */
};

/*
 * Makes a link over `stream`, which it owns from then on (also when this fails). What happens on it
 * is told as far as its share of `turn` goes, which outlives it, and then by link_go_on(). 0 or
 * -errno.
 */
int link_new(struct link **link, struct loop *loop, struct turn *turn, struct stream *stream,
             const struct session_settings *settings, const struct link_events *events,
             void *context);

/* The next turn: takes what is left of the one before. */
void link_go_on(struct link *link);

/* Frees the link and closes its connection, whatever its state. Not inside one of its callbacks. */
void link_free(struct link *link);

/* After the commit: releases what waited for it, then sends what is ready and sets the timer. */
void link_flush(struct link *link);

/* Marks work for link_flush(). */
void link_touch(struct link *link);

/*
 * Reads nothing more from the other side, which then has to keep what it has. After so many ms the
 * session ends with GOING_AWAY; what is sent leaves until then.
 */
void link_hold(struct link *link, uint64_t ms);

/* Ends the session, telling the other side `code`. */
void link_close(struct link *link, enum close_code code);

/* Asks whether the other side is still there, and waits for little: see session_doubt(). */
void link_doubt(struct link *link);

/* Drops the connection without a word. */
void link_drop(struct link *link, const char *detail);

/* The other side's fingerprint, or NULL while it has not proved one. */
const struct fingerprint *link_fingerprint(const struct link *link);

/* Whether the session exists and both sides approved. */
bool link_open(const struct link *link);
