/* SPDX-License-Identifier: ISC */
/*
 * Datagrams to and from this network's router, at the port for PCP and NAT-PMP (net/pcp_packet.h).
 * What others send is dropped here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "net/loop.h"
#include "net/netwatch.h"

struct router;

/* What is heard, of IPv4 or IPv6; all of them may be called from router_send()'s turn on. */
struct router_events {
    void (*answer)(void *context, bool ipv6, struct span datagram);
    void (*refused)(void *context, bool ipv6); /* nothing serves that port there */
    void (*announced)(void *context);          /* it says to all that it has lost its memory */
};

/*
 * Opens its sockets, before anything is confined; a family that the kernel does not have is left
 * out. 0 or -errno.
 */
int router_new(struct router **router, struct loop *loop);
void router_free(struct router *router);

/* Says who hears; all outlives the router. */
void router_start(struct router *router, const struct router_events *events, void *context);

/*
 * Sends to the gateway of a route from the address that the route begins at, and hears of that
 * gateway only from then on. 0 or -errno.
 */
int router_send(struct router *router, const struct network_route *route, struct span datagram);
