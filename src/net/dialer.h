/* SPDX-License-Identifier: ISC */
/*
 * Connecting out: resolves a name and tries its addresses in turn.
 */
#pragma once

#include "base/address.h"
#include "net/stream.h"

enum { DIAL_TIMEOUT_MS = 10000 };

struct dial;

/*
 * Told once how it ended: with a stream that the callee owns, or with NULL and a reason for people
 * ("Connection refused", "host not found"). The dial is gone when this returns.
 */
typedef void dial_done(void *context, struct stream *stream, const char *error);

/* Connects, for at most DIAL_TIMEOUT_MS. Never calls back before it returns. 0 or -errno. */
int dial_start(struct dial **dial, struct loop *loop, const struct address *address,
               dial_done *done, void *context);

/* Gives up without a call back. NULL is allowed. */
void dial_cancel(struct dial *dial);
