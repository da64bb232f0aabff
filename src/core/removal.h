/* SPDX-License-Identifier: ISC */
/*
 * Peers that were removed while something waited for them: their queues end a step in each turn, so
 * that others are not kept waiting however much that is. It goes on after a restart.
 */
#pragma once

#include "core/runtime.h"

enum {
    REMOVAL_LOOKS = 100,     /* removed peers looked at in a turn */
    REMOVAL_RETRY_MS = 1000, /* after there was no room on the disk */
};

struct removal {
    struct runtime *runtime;
    struct timer *timer; /* of the next step */
    int64_t after;       /* those with greater ids are to be looked at */
};

/* 0 or -errno. Deinit also of one that failed or is all zero. */
int removal_init(struct removal *removal, struct runtime *runtime);
void removal_deinit(struct removal *removal);

/* Goes on with what was not finished when the process ended. */
void removal_start(struct removal *removal);

/*
 * The peer of this id was just removed: ends its queue, or begins with that and goes on in later
 * turns. 0, NODE_DISK_FULL or -errno.
 */
int removal_add(struct removal *removal, int64_t peer);
