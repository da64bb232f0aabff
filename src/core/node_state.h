/*
 * The node from the inside: its parts, for the modules that stand on them. Nothing above this floor
 * includes it.
 */
#pragma once

#include "core/body_sealer.h"
#include "core/housekeeping.h"
#include "core/limits.h"
#include "core/links.h"
#include "core/pending_keys.h"
#include "core/roster.h"
#include "core/runtime.h"
#include "net/listener.h"

struct node {
    struct runtime runtime;
    struct body_sealer *body_sealer;
    struct limits limits;
    struct links links;
    struct pending_keys pending_keys;
    struct roster roster;
    struct housekeeping housekeeping;
    struct listener *listeners[SETTINGS_LISTEN_MAX];
    unsigned listener_count;
};

/*
 * Makes a peer as roster_add() does, lets it in if it asked, and dials it. What that returns.
 * (node_peers.c)
 */
int node_take_in(struct node *node, struct peer_row *row, struct peer **peer);
