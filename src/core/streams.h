/* SPDX-License-Identifier: ISC */
/*
 * Streams: named services of peers, through the lanes beside the links. This is what a control
 * method may ask about them.
 *
 * Nothing here connects, listens or runs anything for a service: whoever provides one hands over
 * connected sockets, and so does whoever calls one.
 */
#pragma once

#include "core/channels.h"
#include "core/link.h"
#include "core/node_outcome.h"
#include "core/roster.h"
#include "core/services.h"
#include "core/trunk.h"

enum streams_outcome {
    STREAMS_NOT_SUPPORTED = OUTCOME_STREAMS, /* the peer's program could not when it was met last */
    STREAMS_OFF,                             /* ours doesn't want to */
    STREAMS_BUSY,                            /* too many at once */
};

/* What happened to a stream. */
enum stream_news_type {
    STREAM_INCOMING, /* a peer calls: streams_accept() or channels_reset() */
    STREAM_OPENED,   /* the peer has accepted ours */
    STREAM_DETACHED, /* it waits for a lane */
    STREAM_ATTACHED, /* it flows again */
    STREAM_ENDED,
};

struct stream_news {
    enum stream_news_type type;
    struct channel *channel;
    const struct peer *peer;       /* NULL: it is no peer any more */
    struct service *service;       /* INCOMING */
    const struct channel_end *end; /* ENDED */
    const char *error;             /* ENDED: why there was no lane, "" if there was one */
};

/* A service of our own, that no client provides: who is told of its streams. */
struct streams_own {
    const char *name;
    uint32_t needs; /* features of a peer that may call; others find no such service */
    /* A trusted peer calls: channels_accept() or channels_reset(). */
    void (*incoming)(void *context, struct channel *channel, const struct peer *peer);
    void (*ended)(void *context, struct channel *channel, const struct channel_end *end);
};

struct streams {
    const struct runtime *runtime;
    const struct roster *roster;
    struct services services;
    struct trunk_ground ground;
    struct list trunks;  /* to peers that have streams, had some not long ago, or have a lane … */
    struct hash by_peer; /* … by the ids of these */
    unsigned turn;       /* the number of this one */
    struct credit_pool sending;
    struct credit_pool receiving;
    struct bytes frame;            /* scratch, of the frame that is made */
    unsigned count;                /* streams in all */
    const struct streams_own *own; /* or NULL */
    void *own_context;
};

void streams_init(struct streams *streams, const struct runtime *runtime,
                  const struct roster *roster);
void streams_deinit(struct streams *streams);

/* What happens to sessions; `final` when the peer's streams must not go on with the next one. */
void streams_session_up(struct streams *streams, struct peer *peer, struct link *link);
void streams_session_down(struct streams *streams, struct peer *peer, const struct link_end *end);
void streams_lane_record(struct streams *streams, struct peer *peer, struct span record);
void streams_rekeyed(struct streams *streams, struct peer *peer);

/* Takes over a connection that began with this ATTACH, if an offer was made for it. */
bool streams_attach(struct streams *streams, struct stream *stream,
                    const uint8_t frame[static LANE_ATTACH_SIZE]);

/* A bounded share of the bytes that are to be moved. After the commit of the turn. */
void streams_turn(struct streams *streams);

/* All streams end, and their lanes. */
void streams_stop(struct streams *streams);

/*
 * Whether one who has so many streams may have another, which is `counted` in all of them already
 * or not: nobody gets more than half of what the others leave.
 */
bool streams_share(const struct streams *streams, unsigned own, bool counted);

/*
 * Calls a service of a peer over `fd`, which is taken over in any case. The stream waits for a
 * lane, even for a session. 0, a streams_outcome, NODE_BLOCKED, NODE_KEY_CHANGED, NODE_NO_KEY, or
 * -ENOTSOCK or another -errno. `owner` is what channel->owner becomes.
 */
int streams_open(struct streams *streams, struct peer *peer, const char *service, bool resumes,
                 int fd, void *owner, struct channel **channel);

/* The peer of a stream, or NULL when it is none any more; why it has no lane, or "". */
const struct peer *streams_peer(const struct streams *streams, const struct channel *channel);
const char *streams_error(const struct channel *channel);

/* Calls back for each stream, in any order. */
void streams_each(struct streams *streams, void (*each)(void *context, struct channel *channel),
                  void *context);
