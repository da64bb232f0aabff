/* SPDX-License-Identifier: ISC */
/*
 * Messages into the queue of a peer: sealed, stored, and due.
 */
#pragma once

#include "core/body_sealer.h"
#include "core/peer.h"

struct outgoing {
    const struct runtime *runtime;
    struct body_sealer *body_sealer;
};

/* Features of a peer that can take messages of this kind. */
uint32_t outgoing_needs(enum message_kind kind);

/* Whether the queue of the peer is full for one more with so much content: 0 or NODE_QUEUE_FULL;
 * or -errno. */
int outgoing_check(const struct outgoing *outgoing, const struct peer *peer, size_t size);

/* When a message that is added now leaves the queue, `after_ms` from now or (0) as the settings
 * have it; 0 for never. */
uint64_t outgoing_expiry(const struct outgoing *outgoing, uint64_t after_ms);

/*
 * Adds a message for the peer. The row has its kind, uid, client_id, times and expiry, and gets the
 * rest. The peer is looked at when the turn ends, and dialled sooner. 0, NODE_DISK_FULL or -errno.
 */
int outgoing_add(const struct outgoing *outgoing, struct peer *peer, struct span content,
                 struct message_row *row);
