/* SPDX-License-Identifier: ISC */
/*
 * Telling peers where this machine can be reached, and hearing it of them: so that either side
 * finds the other one again when an address changes.
 *
 * Only public addresses are told, to peers whose key is pinned, and only those that our own
 * packets to the internet come from: whoever hides behind a tunnel does not give away the line
 * below it.
 */
#pragma once

#include "core/links.h"
#include "core/peer.h"

enum { TELL_GAP_MS = 10 * 1000 }; /* from one list to the next on a link */

struct tell {
    struct runtime *runtime;
    /* Writes up to `max` addresses where we listen. How many. */
    unsigned (*own)(void *context, struct address *addresses, unsigned max);
    void *context;
};

/*
 * Tells the peer at the other end of an open link, if it is to know and does not. If it was told
 * something else a moment ago, the link stays `untold`, until tell_due() at the earliest.
 */
void tell_link(const struct tell *tell, struct link *link);

/* Before when the peer is told nothing more, monotonic. */
uint64_t tell_due(const struct link *link);

/* The peer says where it is: the body of a well-formed list. 0, DB_FULL or -errno. */
int tell_hear(const struct tell *tell, struct peer *peer, struct span body);
