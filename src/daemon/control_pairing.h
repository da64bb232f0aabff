/* SPDX-License-Identifier: ISC */
/*
 * How pairing by an invite stands, in words for people.
 */
#pragma once

#include "base/bytes.h"
#include "core/node.h"
#include "rpc/rpc_error.h"

enum pairing {
    PAIRING_OPEN,   /* not done, and still likely to be */
    PAIRING_DONE,   /* we are connected, and each has verified the other */
    PAIRING_FAILED, /* people have to do something */
};

enum pairing pairing_state(const struct peer *peer);

/*
 * Why it is not done: a kind, and text appended to `text` with a NUL. 0 or -ENOMEM.
 */
int pairing_explain(const struct node *node, const struct peer *peer, enum rpc_kind *kind,
                    struct bytes *text);
