/* SPDX-License-Identifier: ISC */
/*
 * The node from the inside: its parts, for the files of the facade, core/node*.c. The parts don't
 * know it: each is given those that it needs (tests/lint/floors holds that).
 */
#pragma once

#include "core/calls.h"
#include "core/doorway.h"
#include "core/link_events.h"
#include "core/notice.h"
#include "core/removal.h"
#include "net/listener.h"

struct node {
    struct runtime runtime;
    void (*settled)(void *context, int outcome);
    void *settled_context;
    struct turn turn;
    struct list stirred; /* peers to look at when the turn ends */
    struct body_sealer *body_sealer;
    struct limits limits;
    struct links links;
    struct pending_keys pending_keys;
    struct roster roster;
    struct adoption adoption;
    struct housekeeping housekeeping;
    struct quota quota;
    struct merging merging;
    struct removal removal;
    struct admission admission;
    struct delivery delivery;
    struct streams streams;
    struct calls calls;
    struct doorway doorway;
    struct link_answers answers;
    struct tell tell;
    struct portmap portmap;
    struct notice notice;
    struct clones clones;
    struct listener *listeners[SETTINGS_LISTEN_MAX];
    unsigned listener_count;
    bool inherited;                         /* they were made by the service manager */
    char configured_default[PEER_NAME_MAX]; /* what the settings call the default peer, if it was
                                               renamed since; else "" */
};

/*
 * Makes a peer as roster_add() does, lets it in if it asked, and dials it. What that returns.
 * (node_peers.c)
 */
int node_take_in(struct node *node, struct peer_row *row, struct peer **peer);
