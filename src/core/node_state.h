/*
 * The node from the inside: its parts, for the modules that stand on them. Nothing above this floor
 * includes it.
 */
#pragma once

#include "core/gate.h"
#include "core/ground.h"
#include "core/housekeeping.h"
#include "core/links.h"
#include "core/requests.h"
#include "core/roster.h"
#include "core/vault.h"
#include "net/listener.h"

struct node {
    struct ground ground;
    struct vault *vault;
    struct gate gate;
    struct links links;
    struct requests requests;
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
