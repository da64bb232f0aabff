/* SPDX-License-Identifier: ISC */
/*
 * Where delivery with each peer stands, in memory, and how it follows from the log. Private to
 * store/.
 *
 * An outgoing message is *ordinary* while its row names no state: then it is DELIVERED up to the
 * mark `delivered` of its peer, SENT up to `sent`, and else QUEUED. So what a turn changed of many
 * messages is one row, that tells it, and two numbers. A *stray* has its own state in `extra`; any
 * other row names how it ended.
 *
 *      ordinary, by seq    ... delivered | in flight ... sent | queued ...
 *      strays              in flight, all given before those | queued, at their place
 *
 * What is in flight goes out again in the order in which it was first transmitted: strays by their
 * ticket, then the ordinary ones by seq. So that this stays so, those that are in flight become
 * strays when a stray is transmitted (stray_make_all()), or when one of them leaves the queue in
 * any other way than as the oldest, acknowledged.
 */
#pragma once

#include "base/bytes.h"
#include "base/list.h"
#include "store/message_row.h"

/* An ordinary message that is in flight, or is the next. */
struct mark_item {
    int64_t seq;
    struct uuid id;
    uint64_t expires_ms; /* 0: never */
    size_t size;         /* of its text */
};

struct mark {
    int64_t peer;
    int64_t sent;
    int64_t delivered;
    struct uuid last_in;
    struct uuid last_out; /* of what was transmitted last */
    struct uuid base;     /* of what was transmitted before the first of `inflight` */
    struct messages_size stored;
    uint64_t inbound;           /* bytes of the disk that what was received takes (inbound.h) */
    struct messages_size queue; /* strays as well */
    unsigned strays;
    int64_t ticket;     /* the last that a stray got */
    uint64_t latest_ms; /* no ordinary one in the queue expires later; UINT64_MAX: one never does */
    struct mark_item next; /* the first ordinary one that is queued, if it is known (seq > 0) */
    struct mark_item *inflight; /* a ring: ordinary ones in flight, oldest first */
    unsigned inflight_size;     /* a power of two, or 0 */
    unsigned inflight_first, inflight_count;
    struct bytes told_sent, told_delivered; /* details of rows that the commit will add */
    uint64_t told_ms;
    struct list dirty;   /* in the list of those that are not as stored … */
    struct list telling; /* … and of those that may have something to tell */
    bool found;          /* while all are read: it is there */
};

/* 0 or -ENOMEM. */
int mark_new(struct mark **mark, int64_t peer);
void mark_free(struct mark *mark);

/* Forgets all but the peer. */
void mark_clear(struct mark *mark);

/* The n-th in flight, and the id of what was transmitted before it. */
struct mark_item *mark_inflight(const struct mark *mark, unsigned n);
const struct uuid *mark_before(const struct mark *mark, unsigned n);

/* One more is transmitted: in flight behind all others. 0 or -ENOMEM. */
int mark_transmit(struct mark *mark, const struct mark_item *item);

/* Takes the oldest, or all, away from those in flight. */
void mark_take_oldest(struct mark *mark);
void mark_take_all(struct mark *mark);

/* An ordinary message was accepted. */
void mark_queue(struct mark *mark, const struct mark_item *item);

/* A message has left the queue. */
void mark_leave(struct mark *mark, size_t size);

/* Whether an ordinary message is in the queue. */
bool mark_has_ordinary(const struct mark *mark);

/* With nothing ordinary in the queue all that is there is past both marks. */
void mark_catch_up(struct mark *mark, int64_t newest);
