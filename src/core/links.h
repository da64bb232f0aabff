/* SPDX-License-Identifier: ISC */
/*
 * All links: strangers that are still shaking hands, and established sessions, one per identity.
 */
#pragma once

#include "core/limits.h"
#include "core/link.h"
#include "core/runtime.h"

struct links {
    const struct runtime *runtime;
    const struct link_events *events; /* who is told what happens on them … */
    void *context;                    /* … with this */
    struct list strangers;            /* nothing is proven, or the session does not exist yet */
    struct list established;          /* sessions, open or waiting for approval */
    unsigned established_count;
    bool files; /* we offer to take files */
};

void links_init(struct links *links, const struct runtime *runtime,
                const struct link_events *events, void *context);

/* Frees every link at once. */
void links_deinit(struct links *links);

/*
 * Makes room for one more incoming stranger from `origin`, when there are others elsewhere, in all
 * and from there: at the limit a random one that had its
 * chance is dropped. False when the newcomer has to go instead.
 */
bool links_admit_stranger(struct links *links, const struct origin *origin, unsigned elsewhere,
                          unsigned from_there, uint64_t now_ms);

/*
 * Starts a session over `stream`, which the link owns from then on (also when this fails): as host
 * of a stranger, or as joiner with the peer that was dialled, and is shown `invite_secret` (or
 * NULL) and told which former links are `gone`. It is a stranger until links_establish(). 0 or
 * -errno.
 */
int links_host(struct links *links, struct stream *stream);
int links_join(struct links *links, struct stream *stream, struct peer *peer,
               const uint8_t *invite_secret, const struct gone *gone, struct link **link);

/* The established link with this identity, or NULL; there is at most one. */
struct link *links_find(const struct links *links, const struct fingerprint *fingerprint);

/*
 * The rule for two links with the same identity, asked when `link` (SESSION_CONFIRMED) is about to
 * become established: whether it may. An older link that has to give way is closed with REPLACED;
 * one that stays is probed with a PING. It gives way if the joiner says that it is gone. Else a
 * link that needed no person's approval is worth more than one that did; of equals, a direct one is
 * worth more than one that is not; of equals, the newer one if both have the same joiner, and
 * otherwise the one whose joiner has the smaller fingerprint: so both sides keep the same one when
 * their dials cross.
 */
bool links_resolve(struct links *links, struct link *link, const struct fingerprint *own,
                   uint64_t now_ms);

/* Whether this link would stay if one that was dialled from its other end were established, too. */
bool links_stays(const struct link *link, const struct fingerprint *own);

/* Moves a link from the strangers to the established. */
void links_establish(struct links *links, struct link *link);

/* What the last turn had no time for. At the end of a turn, before the commit. */
void links_go_on(struct links *links);

/* Flushes what was touched in this turn, then frees what has ended. */
void links_turn_end(struct links *links);

/* Closes every link that leads or was to lead to `peer`, and forgets that it did. */
void links_abandon_peer(struct links *links, const struct peer *peer, enum close_code code);

/* Ends sessions that declined items, so that the peers come again with them. */
void links_renew_declined(struct links *links);

/* Closes all, telling them `code`. */
void links_close_all(struct links *links, enum close_code code);

/* Whether nothing is left, not even last words. */
bool links_empty(const struct links *links);
