/* SPDX-License-Identifier: ISC */
/*
 * What a change of the network means for links and for dialling: links that can't be alive end at
 * once, others are asked whether they are, and peers without one are dialled.
 */
#pragma once

#include "core/portmap.h"
#include "core/roster.h"
#include "core/tell.h"
#include "net/netwatch.h"

enum {
    NOTICE_SLEPT_MS = 45000, /* after so long the peers have given up every link */
    NOTICE_SPREAD_MS = 3000, /* over which all links are served: each costs a signature … */
    NOTICE_STEPS = 30,       /* … in so many steps */
};

struct notice {
    struct runtime *runtime;
    struct links *links;
    struct roster *roster;
    const struct tell *tell;
    struct portmap *portmap;
    struct netwatch *netwatch; /* or NULL */
    struct timer *timer;       /* of the next step */
    uint64_t changed_ms;       /* wall clock, of the latest change; 0 for none */
};

/* Listens to `netwatch` (NULL: to nobody), which outlives it. 0 or -errno. */
int notice_init(struct notice *notice, struct runtime *runtime, struct links *links,
                struct roster *roster, const struct tell *tell, struct portmap *portmap,
                struct netwatch *netwatch);
void notice_deinit(struct notice *notice);

/* Why changes of the network are not noticed; NULL when they are. */
const char *notice_flaw(const struct notice *notice);
