/* SPDX-License-Identifier: ISC */
/*
 * Notices that this machine's addresses or its ways to the internet changed, that it was suspended,
 * and that its clock was set. It waits for the kernel to say so (rtnetlink, timerfd): as long as
 * nothing happens, it costs nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"
#include "net/network_change.h"

enum {
    NETWATCH_QUIET_MS = 200,   /* changes come in bursts: so long without another one … */
    NETWATCH_BURST_MS = 1000,  /* … but no longer than this after the first */
    NETWATCH_GAP_MS = 1000,    /* from one report to the next … */
    NETWATCH_REPORTS_MAX = 10, /* … and after so many in a minute … */
    NETWATCH_CALM_MS = 10000,  /* … this */
    NETWATCH_STEP_MS = 10000,  /* a clock that is set by less is no news */
};

struct netwatch_news {
    unsigned changes;      /* of enum netwatch_change */
    uint64_t suspended_ms; /* NETWATCH_RESUMED: how long */
};

struct netwatch;

typedef void netwatch_report(void *context, const struct netwatch_news *news);

/*
 * Opens what it listens on, before anything is confined. Where the kernel does not let us listen,
 * it reports less. 0 or -errno.
 */
int netwatch_new(struct netwatch **netwatch, struct loop *loop);
void netwatch_free(struct netwatch *netwatch);

/* Says who is told; reports begin. */
void netwatch_start(struct netwatch *netwatch, netwatch_report *report, void *context);

/* Why changes of the network are not noticed; NULL when they are. */
const char *netwatch_flaw(const struct netwatch *netwatch);

/*
 * Whether the machine has this address (IPv4 as ::ffff:a.b.c.d). True when that is not known, and
 * of loopback.
 */
bool netwatch_has(const struct netwatch *netwatch, const uint8_t address[static 16]);

/* The way to the internet by IPv4 or IPv6; all zero if it is not known, or leads over no router. */
struct network_route netwatch_route(const struct netwatch *netwatch, bool ipv6);
