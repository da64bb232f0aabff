/* SPDX-License-Identifier: ISC */
/*
 * The node from the inside: its parts, for the files of the facade, core/node*.c. The parts don't
 * know it: each is given those that it needs (tests/lint/floors holds that).
 */
#pragma once

#include "core/calls.h"
#include "core/doorway.h"
#include "core/files.h"
#include "core/link_events.h"
#include "core/notice.h"
#include "core/removal.h"
#include "net/listener.h"

struct node_message;

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
    struct files files;
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

/* Tells peers of the offers of theirs that were too many. 0 or -errno. (node_files.c) */
int node_refuse_files(struct node *node);

/* What is known of the message with this seq; nothing if it is gone. (node_messages.c) */
int node_message_at(const struct node *node, int64_t seq, struct node_message *message);

/*
 * Makes a peer as roster_add() does, lets it in if it asked, and dials it. What that returns.
 * (node_peers.c)
 */
int node_take_in(struct node *node, struct peer_row *row, struct peer **peer);
