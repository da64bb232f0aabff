/* SPDX-License-Identifier: ISC */
/*
 * Two peers that turn out to be one become so: see core/admission.h. What one of them has is handed
 * over first, a step in each turn, so that others are not kept waiting however much that is; then
 * the two are one at once. What was handed over stays so: after a restart it goes on with the next
 * dial.
 */
#pragma once

#include "core/body_sealer.h"
#include "core/housekeeping.h"
#include "core/roster.h"
#include "store/handover.h"

enum {
    MERGING_STEPS_AT_ONCE = 4, /* with no more to do than this it needs no other turn */
    MERGING_RETRY_MS = 1000,   /* after there was no room on the disk */
};

struct merging {
    struct runtime *runtime;
    struct roster *roster;
    struct housekeeping *housekeeping;
    struct body_sealer *body_sealer;
    struct timer *timer;      /* of the next step */
    struct handover handover; /* of the two that it is or was about; zero for none */
    bool going;               /* there are more steps to come */
};

/* 0 or -errno. Deinit also of one that failed or is all zero. */
int merging_init(struct merging *merging);
void merging_deinit(struct merging *merging);

/*
 * Makes them one peer, with the name and the addresses of `keyless`, the key and the history of
 * `nameless`, and the queues of both; `keyless` is freed, and *merged. Or begins with that, or goes
 * on with it: then `keyless` is dialled when it is ready to be so. Others wait for their turn. 0,
 * NODE_DISK_FULL or -errno.
 */
int merging_try(struct merging *merging, struct peer *keyless, struct peer *nameless, bool *merged);

/* What this turn did was undone. */
void merging_undone(struct merging *merging);
