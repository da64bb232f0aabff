/* SPDX-License-Identifier: ISC */
/*
 * Who is told what happens in the node.
 */
#pragma once

#include <stdint.h>

struct call;
struct peer;
struct pending_key;
struct stream_news;

struct observer {
    void (*presence)(void *context, const struct peer *peer); /* it went online or offline */
    void (*request)(void *context, const struct pending_key *request); /* an unknown key asks */
    void (*pong)(void *context, const struct peer *peer);              /* peer->rtt_ms is new */
    /* It took the place of another peer, which was the same and had this id. */
    void (*merged)(void *context, const struct peer *peer, int64_t former);
    /* Something happened to a stream; streams.h. */
    void (*stream)(void *context, const struct stream_news *news);
    /* A request is to be answered by its server, or to be ended by it; calls.h. */
    void (*call)(void *context, const struct call *call);
    void (*call_stop)(void *context, const struct call *call);
    /* All its addresses were dialled in vain, or it lets us wait for its people's yes. */
    void (*unreached)(void *context, const struct peer *peer);
    /* A transfer of files has ended, which has this seq in the store. */
    void (*transfer)(void *context, int64_t seq);
};
