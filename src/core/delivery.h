/* SPDX-License-Identifier: ISC */
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

#include "core/body_sealer.h"
#include "core/housekeeping.h"
#include "core/quota.h"

struct calls;
struct files;
struct peer;

/* Whom delivery asks and tells. All outlive it. */
struct delivery {
    struct runtime *runtime;
    struct housekeeping *housekeeping;
    struct quota *quota;
    struct body_sealer *body_sealer;
    struct calls *calls;
    struct files *files;
};

/* The session opened: start with the head of the queue. */
void delivery_start(struct peer *peer);

/* The peer's session is over, its link still there. */
void delivery_end(struct delivery *delivery, struct peer *peer, const struct link_end *end);

/* Gives the session what its window takes. Called in the turn's end, before the commit. 0 or -errno
 * of the store. */
int delivery_pump(struct delivery *delivery, struct peer *peer);

/*
 * An item arrived from the link's peer. 0, NODE_DISK_FULL or -errno. It is acknowledged by the link
 * after the commit, or declined while the disk is low or the peer has its share of it: then the
 * peer keeps it and sends it again in a later session.
 */
int delivery_receive(struct delivery *delivery, struct link *link,
                     const struct session_event *event);

/* The peer has what the event (SESSION_ACKED) says on disk. 0, NODE_DISK_FULL or -errno. */
int delivery_acknowledged(struct delivery *delivery, struct peer *peer,
                          const struct session_event *event);
