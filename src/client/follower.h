/* SPDX-License-Identifier: ISC */
/*
 * Events of the daemon from a position on, across restarts of the daemon.
 */
#pragma once

#include <poll.h>

#include "base/outcome.h"
#include "client/ctl.h"
#include "client/cursor.h"

/* One subscription; a run has at most one. */
struct follower {
    struct ctl *ctl;
    json_t *params;       /* of `follow` */
    struct cursor cursor; /* of the last event that was handed out */
    json_t *peers;        /* whom it is about, as the daemon has said; NULL or empty: all */
    json_int_t sub;       /* of the subscription, as the daemon calls it */
    bool for_output;      /* end when nobody reads standard output any more; set by the caller */
};

enum follower_outcome {
    FOLLOWER_TIMEOUT = OUTCOME_FOLLOWER,
    FOLLOWER_RESUMED,  /* subscribed again: what is not stored (presence) may have changed */
    FOLLOWER_UNWANTED, /* `for_output`: nobody reads standard output any more */
};

/*
 * Subscribes with the parameters of `follow` (the reference is taken), going on after `cursor` if
 * there is one. There must be a daemon; if it goes away before it has answered, the next one is
 * waited for until `deadline_ms` on the monotonic clock. 0, FOLLOWER_TIMEOUT, or -1 after telling.
 * follower_deinit() either way.
 */
int follower_init(struct follower *follower, struct ctl *ctl, json_t *params,
                  const struct cursor *cursor, uint64_t deadline_ms);
void follower_deinit(struct follower *follower);

/*
 * The next event (what is in `params` of its notification), as a new reference. Reconnects when the
 * daemon goes away, until `deadline_ms` on the monotonic clock. 0, a follower_outcome, or -1 after
 * telling.
 */
int follower_next(struct follower *follower, uint64_t deadline_ms, json_t **event);

/*
 * Acknowledges, for the consumer in the parameters, all that was handed out. When the daemon goes
 * away meanwhile, what was not acknowledged comes again to the next run of this consumer. 0, or -1
 * after telling.
 */
int follower_acknowledge(struct follower *follower);
