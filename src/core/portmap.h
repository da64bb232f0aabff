/* SPDX-License-Identifier: ISC */
/*
 * The ports that the router of this network lets in for us, if it was asked to (`port-mapping`):
 * by IPv4 those that we listen on, from its public address; by IPv6 a way through its firewall.
 */
#pragma once

#include "core/body_sealer.h"
#include "core/mapping.h"
#include "core/runtime.h"
#include "net/netwatch.h"
#include "net/router.h"

enum { PORTMAP_PORTS_MAX = 2, PORTMAP_MAX = 2 * PORTMAP_PORTS_MAX };

struct portmap_row {
    struct mapping mapping;
    bool ipv6;
    struct address told; /* where others reached us before this turn's news; no host for nowhere */
};

struct portmap {
    struct runtime *runtime;
    struct router *router; /* NULL: it is not asked for anything */
    const struct netwatch *netwatch;
    struct body_sealer *body_sealer;
    void (*changed)(void *context); /* other addresses than before */
    void *context;
    struct timer *timer;
    struct portmap_row rows[PORTMAP_MAX];
    unsigned count;
};

/* `router` and `netwatch` may be NULL. All that is given outlives it. 0 or -ENOMEM. */
int portmap_init(struct portmap *portmap, struct runtime *runtime, struct router *router,
                 const struct netwatch *netwatch, struct body_sealer *body_sealer);
void portmap_deinit(struct portmap *portmap);

/* Says who hears of other addresses. */
void portmap_on_change(struct portmap *portmap, void (*changed)(void *context), void *context);

/* Begins to ask for a port that we listen on, of one family; beyond the limit for none. -errno. */
int portmap_add(struct portmap *portmap, uint16_t port, bool ipv6);

/* The way to the internet may be another one. */
void portmap_network_changed(struct portmap *portmap);

/* Where others reach us by what was granted: how many addresses, at most `max`. */
unsigned portmap_addresses(const struct portmap *portmap, struct address *addresses, unsigned max);

/* The router that is asked. False: there is none. */
bool portmap_gateway(const struct mapping *mapping, struct address *gateway);

/* Where others come in by one mapping. False: nowhere. */
bool portmap_external(const struct mapping *mapping, struct address *address);
