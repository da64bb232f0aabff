/* SPDX-License-Identifier: ISC */
/*
 * Connecting out: a race over several ways to one peer, and the bounds over all races.
 *
 * A race starts one way after the other without waiting for the end of the one before (RFC 8305),
 * changing the family of addresses as long as it can. All names are looked up at its start, and
 * their answers join the ways at the place of the name. The first connection goes to the owner, and
 * the race rests: it starts nothing any more and keeps at most one further connection, until the
 * owner is done with the first one and calls dial_go_on(). Nothing is sent on what it drops.
 */
#pragma once

#include "base/address.h"
#include "net/stream.h"

enum {
    DIAL_WAYS_MAX = 24,
    DIAL_STAGGER_MS = 200,    /* from one start to the next … */
    DIAL_GAP_MS = 10,         /* … and if one has failed meanwhile */
    DIAL_CONNECT_MS = 10000,  /* the patience with one address at most … */
    DIAL_RACE_MS = 15000,     /* … and with all of them */
    DIAL_SOCKETS_MAX = 8,     /* of one race at once */
    DIALER_RACES_MAX = 256,   /* at once; others wait */
    DIALER_SOCKETS_MAX = 512, /* of all races; fewer if the process may have few descriptors */
};

struct dialer;
struct dial;

/* The bounds over all races of a loop. All races end before it. 0 or -ENOMEM. */
int dialer_new(struct dialer **dialer, struct loop *loop);
void dialer_free(struct dialer *dialer);

/* Which of the races that wait goes first. */
enum dial_priority {
    DIAL_AWAITED, /* something is queued for the peer */
    DIAL_RECENT,  /* it was online within the hour */
    DIAL_OTHER,
    DIAL_PRIORITIES,
};

/*
 * What the owner of a race is told, never before dial_start() or dial_go_on() returns. Only `over`
 * may be answered by freeing what the others need.
 */
struct dial_events {
    /*
     * A connection by this way. True: the callee has it, and the race rests. False: it is not
     * wanted yet; the race rests as well, and keeps it for dial_go_on().
     */
    bool (*connected)(void *context, unsigned way, struct stream *stream);
    /* Nothing is left to try of this way; a reason for people ("Connection refused"). */
    void (*failed)(void *context, unsigned way, const char *error);
    /* No way is left, or the time is up. The race is gone. */
    void (*over)(void *context);
};

/*
 * Starts a race over 1 to DIAL_WAYS_MAX ways, which outlive it, or lets it wait for its turn. 0 or
 * -errno.
 */
int dial_start(struct dial **dial, struct dialer *dialer, enum dial_priority priority,
               const struct address *ways, unsigned count, const struct dial_events *events,
               void *context);

/* A race that rests hands out the connection that it has kept, or goes on. */
void dial_go_on(struct dial *dial);

/* Gives up without a call back. NULL is allowed. */
void dial_cancel(struct dial *dial);
