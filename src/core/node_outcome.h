/* SPDX-License-Identifier: ISC */
/*
 * What may come of a request to the node, besides success (0) and -errno.
 */
#pragma once

#include "base/outcome.h"
#include "store/db.h"

enum node_outcome {
    NODE_NO_SUCH_PEER = OUTCOME_NODE,
    NODE_AMBIGUOUS_PEER,  /* no peer was named and there is not exactly one to mean */
    NODE_NAME_TAKEN,      /* another peer has this name */
    NODE_KEY_TAKEN,       /* another peer has this key */
    NODE_BAD_NAME,        /* not a name a peer can have */
    NODE_OWN_KEY,         /* the key is our own */
    NODE_NO_SUCH_REQUEST, /* no such key has asked */
    NODE_MISMATCH,        /* the key is not the one that was offered, or compared */
    NODE_NO_KEY,          /* the peer's key is not known yet */
    NODE_MALFORMED,       /* no safety number */
    NODE_NO_SUCH_INVITE,
    NODE_INVITES_FULL, /* too many invites are open */
    NODE_NO_SUCH_MESSAGE,
    NODE_NOT_SUPPORTED, /* the peer's program can't take it */
    NODE_CONFLICT,      /* the client_id was used for something else */
    NODE_TOO_LATE,      /* the message was transmitted already, or has left the queue */
    NODE_NOT_UTF8,
    NODE_EMPTY,
    NODE_TOO_LARGE,
    NODE_KEY_CHANGED, /* the peer answered with another key: somebody must decide first */
    NODE_BLOCKED,
    NODE_OFFLINE,    /* there is no open session with the peer */
    NODE_TOO_OFTEN,  /* the protocol allows no more of it now */
    NODE_NO_PQ,      /* this machine can speak no post-quantum suite */
    NODE_NO_ADDRESS, /* the peer has no address to dial */
    NODE_QUEUE_FULL,
    NODE_DISK_FULL,
    NODE_STOPPING,
};

/* What the store said, as an outcome of the node. */
static inline int outcome_of_store(int r)
{
    return r == DB_FULL ? NODE_DISK_FULL : r;
}
