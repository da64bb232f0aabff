/*
 * Delivery with one peer: from the queue to the session, from the session to the history, exactly
 * once.
 *
 * Out: while a session is open the queue goes out in order, each item with the id of the one
 * transmitted before it. The peer's acknowledgement of an ordinal takes items out of the queue.
 * When a session ends, everything unacknowledged simply stays queued and goes out again in the next
 * one.
 *
 * In: an item is stored and its id remembered in the same transaction, so a repetition is
 * recognised; it is acknowledged after the commit.
 */
#pragma once

#include "base/bytes.h"
#include "core/link.h"
#include "store/messages.h"

struct peer;

/* Where delivery stands in the present session, and what is worth remembering of earlier ones. */
struct delivery {
    int64_t cursor;        /* seq of the last item given to the session */
    int64_t *in_flight;    /* ring of SESSION_WINDOW_ITEMS: seq of ordinal n at n % size */
    uint64_t given;        /* ordinal of the last item given to the session */
    uint64_t acked;        /* highest ordinal acknowledged */
    int64_t poison_seq;    /* head of the queue when the peer last called it an error … */
    unsigned poison_count; /* … and how many sessions in a row ended so */
    bool due;              /* delivery_pump() has work */
    struct bytes text;     /* of the item being given to the session */
};

void delivery_init(struct delivery *delivery);
void delivery_deinit(struct delivery *delivery);

/* The session opened: start with the head of the queue. */
void delivery_start(struct peer *peer);

/* The session is over. */
void delivery_end(struct peer *peer, const struct link_end *end);

/* Something was queued. */
void delivery_touch(struct peer *peer);

/* Gives the session what its window takes. Called in the turn's end, before the commit. 0 or -errno
 * of the store. */
int delivery_pump(struct peer *peer);

/*
 * An item arrived. 0, NODE_DISK_FULL or -errno. It is acknowledged by the link after the commit, or
 * declined while the disk is low: then the peer keeps it and sends it again in the next session.
 */
int delivery_receive(struct peer *peer, struct link *link, const struct session_event *event);

/* The peer has everything up to `ordinal` on disk. 0, NODE_DISK_FULL or -errno. */
int delivery_acknowledged(struct peer *peer, uint64_t ordinal);

/* Whether anything waits for the peer. */
bool delivery_has_queue(const struct peer *peer);
