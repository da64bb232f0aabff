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

/* A name for a peer that nobody has named: the beginning of its fingerprint. */
void node_default_name(const struct fingerprint *key, char name[static PEER_NAME_MAX]);
