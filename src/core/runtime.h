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
#include "proto/session_types.h"
#include "store/db.h"

struct runtime {
    struct loop *loop;
    struct dialer *dialer; /* the bounds over all dials */
    struct db *db;
    struct body_sealer *body_sealer; /* what seals the secrets in it */
    const struct identity *self;
    struct settings settings;
    const struct observer *observer;
    void *observer_context;
    struct turn *turn;               /* what each link may take of it */
    struct list *stirred;            /* peers to look at when the turn ends */
    bool stopping;                   /* no new links are made */
    uint8_t instance[INSTANCE_SIZE]; /* which of all that may have our key we are; clones.h */
    uint64_t cloned_ms; /* wall clock, of the last sign that there is another; 0 for none */
    int failure;        /* the first -errno of the store; 0 while all is well */
};

enum { RUNTIME_CLONED_MS = 24 * 3600 * 1000 };

/* Whether a sign of a clone is so young that it goes on, as far as is known. */
bool runtime_cloned(const struct runtime *runtime, uint64_t sign_ms);

/* Our own fingerprint. */
const struct fingerprint *runtime_fingerprint(const struct runtime *runtime);

/*
 * The store can't be relied on any more: nothing is acknowledged from here on. The turn that this
 * wakes tells all that wait for it to settle.
 */
void runtime_fail(struct runtime *runtime, int error);
