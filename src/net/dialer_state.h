/* SPDX-License-Identifier: ISC */
/*
 * A race from the inside: what dialer.c (races and their bounds) and candidates.c (the addresses of
 * one race) share.
 */
#pragma once

#include "base/list.h"
#include "net/connector.h"
#include "net/dialer.h"
#include "net/resolver.h"
#include "net/socket.h"

enum {
    CANDIDATES_MAX = 64, /* addresses of all ways … */
    ANSWERS_MAX = 8,     /* … and of one look-up */
    FAMILIES = 2,
};

struct dialer {
    struct loop *loop;
    unsigned races;
    unsigned sockets;
    unsigned sockets_max;
    struct list waiting[DIAL_PRIORITIES]; /* races that have yet to start */
    struct list starved;                  /* races that wait for a socket of others */
};

/* One address of one or more ways. */
struct candidate {
    union socket_address address;
    socklen_t size;
    uint32_t ways; /* a bit for each way that leads here */
    enum { UNTRIED, CONNECTING, DONE } state;
    struct connector *connector; /* CONNECTING */
    uint64_t deadline_ms;        /* CONNECTING */
    const char *error;           /* DONE, or NULL after a connection */
    struct dial *dial;
};

struct lookup_slot {
    struct lookup *lookup; /* NULL once it has ended */
    struct dial *dial;
    unsigned way;
};

/* Every count of `open` is a look-up or a candidate that is not yet done. */
struct way {
    struct lookup_slot lookups[FAMILIES];
    unsigned open;
    bool connected; /* once: what becomes of the rest is not news */
    const char *error;
};

struct dial {
    struct list node; /* in a list of the dialer */
    struct dialer *dialer;
    enum { WAITING, RACING, RESTING } state;
    const struct address *addresses;
    struct way ways[DIAL_WAYS_MAX];
    unsigned count;
    struct candidate candidates[CANDIDATES_MAX];
    unsigned candidate_count;
    unsigned connecting;
    int family;         /* of the latest start */
    bool hurried;       /* one has failed since */
    uint64_t latest_ms; /* when that was; 0 for never */
    uint64_t deadline_ms;
    struct stream *reserve;
    unsigned reserve_way;
    struct timer *timer; /* of the next step */
    const struct dial_events *events;
    void *context;
};

/* The first race of a list gets its turn. */
void dial_wake_first(struct list *list);

/* Starts to find the addresses of a way. */
void candidates_resolve(struct dial *dial, unsigned way);

/* The next one to try, NULL for none; and how many there are. */
struct candidate *candidates_choose(struct dial *dial);
unsigned candidates_untried(const struct dial *dial);

/* By which way a candidate is known to the owner. */
unsigned candidates_way(const struct candidate *candidate);

/* One socket of the bounds is free again. */
void candidates_return_socket(struct dial *dial);

/* It came to an error or (NULL) a connection; the owner is told of ways that are at their end. */
void candidates_end(struct dial *dial, struct candidate *candidate, const char *error);

/* Gives up the look-ups that are left, telling the owner so or (NULL) not. */
void candidates_end_lookups(struct dial *dial, const char *error);
