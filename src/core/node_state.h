/*
 * What the modules of this floor share: the node from the inside. Nothing above includes this.
 */
#pragma once

#include "core/gate.h"
#include "core/housekeeping.h"
#include "core/links.h"
#include "core/node.h"
#include "core/requests.h"
#include "core/roster.h"
#include "core/vault.h"
#include "net/listener.h"
#include "store/events.h"

struct node {
    struct loop *loop;
    struct db *db;
    const struct identity *self;
    struct vault *vault;
    struct settings settings;
    const struct node_observer *observer;
    void *observer_context;
    struct gate gate;
    struct links links;
    struct requests requests;
    struct roster roster;
    struct housekeeping housekeeping;
    struct listener *listeners[SETTINGS_LISTEN_MAX];
    unsigned listener_count;
    bool stopping;
    int failure; /* the -errno after which nothing is promised any more; 0 while all is well */
};

/* Starts a session as joiner over a stream that our dial made. 0 or -errno. */
int node_join(struct node *node, struct stream *stream, struct peer *peer, struct link **link);

/* The store can't be relied on any more: nothing is acknowledged from here on. */
void node_fail(struct node *node, int error);

/*
 * Makes a peer of a row with everything but its id and time. 0, NODE_BAD_NAME, NODE_NAME_TAKEN,
 * NODE_KEY_TAKEN, NODE_OWN_KEY, NODE_DISK_FULL or -errno.
 */
int node_peer_make(struct node *node, struct peer_row *row, struct peer **peer);

/* Stores a changed row of a peer and takes it over; notes its trust as an event if that changed. */
int node_peer_update(struct node *node, struct peer *peer, const struct peer_row *row);

/* A name for a peer that nobody has named: the beginning of its fingerprint. */
void node_default_name(const struct fingerprint *key, char name[static PEER_NAME_MAX]);
