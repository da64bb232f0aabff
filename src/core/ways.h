/* SPDX-License-Identifier: ISC */
/*
 * Whom to dial, and in which order: the ways to one peer. Pure: nothing is looked up or asked here.
 */
#pragma once

#include "base/address.h"
#include "net/dialer.h"

/* What is known about where a peer is. */
struct ways_facts {
    const struct address *last;  /* numeric, of the last session that we dialled; NULL for none */
    const struct address *given; /* by hand, in their order */
    unsigned given_count;
    const struct address *told; /* by itself */
    unsigned told_count;
    bool ipv6; /* this machine has a way to the internet by IPv6 */
};

/*
 * The ways in the order in which a race starts them, each once: what worked last; then what was
 * given, a numeric address of the preferred family (IPv6 if there is a way by it) before the rest;
 * then what the peer told.
 * How many there are.
 */
unsigned ways_order(const struct ways_facts *facts, struct address ways[static DIAL_WAYS_MAX]);
