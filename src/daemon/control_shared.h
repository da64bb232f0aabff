/* SPDX-License-Identifier: ISC */
/*
 * What the modules of the control interface share.
 */
#pragma once

#include <jansson.h>
#include <sys/types.h>

#include "base/list.h"
#include "core/node.h"
#include "daemon/control_owner.h"
#include "net/listener.h"
#include "rpc/rpc_line.h"
#include "rpc/rpc_message.h"

enum {
    CONTROL_OUTPUT_MAX = 256 * 1024, /* unsent bytes at which a client has to take some first */
    CONTROL_CALLS_MAX = 100,         /* calls served for one client in a turn … */
    CONTROL_CALLS_ALONE = 512,       /* … when no other client has called in it */
    CONTROL_TURN_MS = 4,             /* after which a turn leaves the rest to the next one */
    CONTROL_WAITS_MAX = 1024,        /* open waits of one client */
    CONTROL_FOLLOWERS_MAX = 16,      /* of one client */
    CONTROL_CLIENTS_MAX = 1024,
    CONTROL_CLIENTS_PER_USER = 256, /* of one user that is no admin */
    CONTROL_CLIENTS_KEPT = 32,      /* of CONTROL_CLIENTS_MAX, for admins */
    CONTROL_DESCRIPTORS_MAX = 128,  /* of all clients together */
};

struct control {
    struct loop *loop;
    struct node *node;
    const struct control_owner *owner;
    void *owner_context;
    struct listener *listener;
    struct list clients;
    unsigned client_count;
    unsigned callers;    /* clients that have called in this turn */
    struct list waits;   /* control_wait.h */
    struct list streams; /* control_streams.h */
    struct list files;   /* control_files.h */
    uint64_t last_stream;
    unsigned descriptors;                   /* that came and nobody has taken */
    struct snapshot *snapshot;              /* a copy of the store that is made, or NULL … */
    struct control_client *snapshot_client; /* … for this client */
    int64_t seen_seq;                       /* events up to here have answered their waits */
    uint64_t started_ms;                    /* monotonic */
    uint64_t settled_ms;                    /* the last turn, likewise … */
    int outcome;                            /* … and with what */
    bool stopping;
};

/* One reply that waits for the end of its turn. */
struct control_held {
    json_t *id;
    json_t *message;
    bool unasked; /* a notification: it promises nothing */
};

struct control_client {
    struct list node;
    struct control *control;
    struct stream *stream;
    struct rpc_line lines;
    uid_t user;
    bool admin;
    struct listing *listing;   /* its call that many turns answer, or NULL (control_listing.h) */
    bool input_ended;          /* it will say no more; it goes when it has its replies */
    bool broken;               /* to be freed at the end of the turn */
    struct control_held *held; /* at most one of each call and each wait */
    unsigned held_count;
    unsigned held_capacity;
    unsigned call_count; /* served in this turn */
    unsigned wait_count;
    uint64_t fed;         /* bytes of its lines, all in all */
    unsigned descriptors; /* that it sent and nobody has taken */
    struct list followers;
    unsigned follower_count;
    unsigned last_sub;
};
