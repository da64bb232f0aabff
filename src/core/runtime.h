/* SPDX-License-Identifier: ISC */
/*
 * What every module of this floor is given: the loop, the store, our keys, the settings, and who is
 * told. It ends with a latch: once the store has failed, nothing is promised any more.
 */
#pragma once

#include "base/list.h"
#include "core/observer.h"
#include "core/settings.h"
#include "core/turn.h"
#include "crypto/identity.h"
#include "net/dialer.h"
#include "net/loop.h"
#include "store/db.h"

struct runtime {
    struct loop *loop;
    struct dialer *dialer; /* the bounds over all dials */
    struct db *db;
    const struct identity *self;
    struct settings settings;
    const struct observer *observer;
    void *observer_context;
    struct turn *turn;    /* what each link may take of it */
    struct list *stirred; /* peers to look at when the turn ends */
    bool stopping;        /* no new links are made */
    int failure;          /* the first -errno of the store; 0 while all is well */
};

/* Our own fingerprint. */
const struct fingerprint *runtime_fingerprint(const struct runtime *runtime);

/*
 * The store can't be relied on any more: nothing is acknowledged from here on. The turn that this
 * wakes tells all that wait for it to settle.
 */
void runtime_fail(struct runtime *runtime, int error);
