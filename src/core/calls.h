/* SPDX-License-Identifier: ISC */
/*
 * Requests: messages that ask a service something, and the results that answer them.
 *
 * Here, a request waits until somebody provides its service, is claimed for that provider, and is
 * given to it only after the claim is on disk. So it runs at most once, whoever dies: a claim whose
 * provider is gone is answered with "interrupted", and nothing is ever given out twice. A provider
 * is known by its instance, which it chose at random when it began: when this daemon was restarted
 * it comes back and says which requests it has, and goes on with them.
 *
 * Over there, the first result of a request of ours is kept. Any other is acknowledged, and its
 * body is dropped: copies of stores make them.
 */
#pragma once

#include "base/list.h"
#include "base/outcome.h"
#include "core/housekeeping.h"
#include "core/outgoing.h"
#include "core/roster.h"
#include "core/services.h"
#include "proto/headers.h"
#include "store/calls.h"

enum {
    CALLS_WAITING_MAX = 1024,    /* requests that wait, of all peers … */
    CALLS_WAITING_PEER_MAX = 64, /* … and of one */
    CALLS_WAITING_CROWD = 768,   /* from there on only for peers … */
    CALLS_WAITING_FEW = 4,       /* … with fewer than these */
    CALLS_GRACE_MS = 10 * 1000,  /* for a provider to come back to a daemon that was restarted */
    CALLS_RETRY_MS = 1000,       /* how often a full disk is tried again */
};

enum calls_outcome {
    CALLS_OVER = OUTCOME_CALLS, /* the request was decided otherwise, or is nobody's here */
};

/* A request of a peer that is not over. */
struct call {
    struct list node;
    struct call_row row;    /* its state is that of this turn … */
    bool stored;            /* … and it was on disk before it … */
    enum call_state before; /* … in this state */
    bool given;             /* to its provider */
    void *server;           /* who has it: a server of services.h; NULL: nobody that is here */
    uint64_t deadline_ms;   /* monotonic: not begun later, and ended then */
    uint64_t grace_ms;      /* CLAIMED and without server: until when it may come back */
    bool stopping;          /* its provider is to end it … */
    bool stop_told;         /* … and knows */
};

struct calls {
    struct runtime *runtime;
    const struct roster *roster;
    struct services *services;
    struct outgoing outgoing;
    struct housekeeping *housekeeping;
    struct timer *timer;
    struct list open; /* oldest first */
    unsigned waiting;
    uint64_t restored_ms; /* by the wall clock: the store is a copy made then; 0: it is none */
    bool due;             /* something may be to be done when the turn ends */
};

/* 0 or -errno. Deinit also of one that failed. */
int calls_init(struct calls *calls);
void calls_deinit(struct calls *calls);

/* Reads what is open, and the services that are known. At the start. 0 or -errno. */
int calls_load(struct calls *calls);

/* Before the turn's commit: what is due is decided. 0, NODE_DISK_FULL or -errno. */
int calls_pump(struct calls *calls);

/* The turn is on disk: claimed requests are given out, by the node's observer. */
void calls_committed(struct calls *calls);

/* The turn was undone. */
void calls_undone(struct calls *calls);

/* --- what providers do ------------------------------------------------------------------------ */

/* What a provider says when it begins to provide a service. */
struct calls_provider {
    uint8_t instance[CALL_CLAIM_SIZE];
    const struct uuid *running; /* requests that it has from before */
    size_t running_count;
};

/*
 * A service was added with its terms: if it takes requests it is known from now on, and they go to
 * its server; if not, those that wait are refused. 0, NODE_DISK_FULL or -errno.
 */
int calls_serve(struct calls *calls, struct service *service,
                const struct calls_provider *provider);

/* This server is gone, and nobody knows what became of what it had. The same. */
int calls_leave(struct calls *calls, const void *server);

/* A service is forgotten: what waits for it is refused. The same. */
int calls_forget(struct calls *calls, const char *service);

/* What came of a request that the server has. 0, CALLS_OVER, NODE_DISK_FULL or -errno. */
struct calls_answer {
    enum result_kind kind;
    uint8_t status;
    struct span body; /* at most HEADERS_BODY_MAX bytes */
};
int calls_answer(struct calls *calls, const void *server, const struct uuid *id,
                 const struct calls_answer *answer);

/* The peer is removed: what it asked for is over, and nobody is told. The same. */
int calls_drop(struct calls *calls, int64_t peer);

/* How many requests wait for a service, and how many of them are being answered. */
void calls_count(const struct calls *calls, const char *service, unsigned *waiting,
                 unsigned *running);

/* --- what peers say (calls_items.c) ----------------------------------------------------------- */

/* What an item with headers is, and its headers, which borrow from it. */
enum message_kind calls_kind(struct span content, struct headers *headers);

/* Whether a result is the first one of a request of ours to this peer: 0, DB_NOT_FOUND or -errno.
 */
int calls_awaits(const struct calls *calls, const struct peer *peer, const struct headers *headers);

/* An item of the peer was stored as `row`. 0, NODE_DISK_FULL or -errno. */
int calls_take(struct calls *calls, struct peer *peer, const struct message_row *row,
               const struct headers *headers);

/* Makes the content that takes back the request of this id. 0 or -ENOMEM. */
int calls_cancel_content(struct bytes *content, const struct uuid *id);

/* --- between the two files -------------------------------------------------------------------- */

/* A request that was stored in this turn, and nobody has. NULL without memory. */
struct call *calls_open(struct calls *calls, const struct call_row *row);

/* Ends a request, and tells its peer. 0, NODE_DISK_FULL or -errno. */
int call_end(struct calls *calls, struct call *call, const struct calls_answer *answer);

/* The one that is open with this id, or NULL. */
struct call *calls_find(const struct calls *calls, const struct uuid *id);
