/* SPDX-License-Identifier: ISC */
/*
 * The end of a turn: what it changed is committed, and then what waited for that is released; or
 * it is undone as a whole.
 */
#define LOG_COMPONENT "node"
#include "base/log.h"
#include "core/node.h"
#include "core/node_state.h"
#include "store/redate.h"

static void pump_deliveries(struct node *node)
{
    list_for_each (place, &node->stirred) {
        struct peer *peer = container_of(place, struct peer, stirred);
        int r = peer->giving_due ? delivery_pump(&node->delivery, peer) : 0;
        if (r < 0)
            runtime_fail(&node->runtime, r);
    }
}

static void pump_calls(struct node *node)
{
    int r = calls_pump(&node->calls);
    if (r < 0)
        runtime_fail(&node->runtime, r);
}

/* The turn was undone: what memory believes beyond the store must go, and the links that heard of
 * it. */
static int undo_turn(struct node *node)
{
    log_event(LOG_LEVEL_ERROR, "disk-full", NULL,
              "the disk is full: the last changes were not kept");
    housekeeping_disk_full(&node->housekeeping);
    merging_undone(&node->merging);
    links_close_all(&node->links, CLOSE_INTERNAL_ERROR);
    int r = roster_load(&node->roster);
    calls_undone(&node->calls);
    roster_each (peer, &node->roster)
        if (peer->state == PEER_OFFLINE)
            peer_dial(peer); /* what would have ended it did not happen */
    return r;
}

static int commit(struct node *node)
{
    if (node->runtime.failure != 0)
        return node->runtime.failure;
    int r = db_commit(node->runtime.db);
    if (r == DB_FULL) {
        r = undo_turn(node);
        return r < 0 ? r : NODE_DISK_FULL;
    }
    if (r == 0) {
        housekeeping_committed(&node->housekeeping);
        calls_committed(&node->calls);
    }
    return r;
}

static void tell_presence(struct node *node)
{
    list_for_each_safe (place, &node->stirred) {
        struct peer *peer = container_of(place, struct peer, stirred);
        bool online = peer->state == PEER_ONLINE;
        if (!peer->giving_due)
            list_remove(place);
        if (online == peer->seen_online && !peer->seen_otherwise)
            continue;
        node->roster.online += online;
        node->roster.online -= peer->seen_online;
        peer->seen_online = online;
        peer->seen_otherwise = false;
        node->runtime.observer->presence(node->runtime.observer_context, peer);
    }
}

void node_turn_over(struct node *node)
{
    redate_turn_over(node->runtime.db);
}

void node_note_client(struct node *node)
{
    turn_join(&node->turn);
}

void node_turn_end(struct node *node)
{
    links_go_on(&node->links);
    housekeeping_watch(&node->housekeeping);
    pump_calls(node);
    const int refused = node_refuse_files(node);
    if (refused < 0)
        runtime_fail(&node->runtime, refused);
    pump_deliveries(node);
    int outcome = commit(node);
    body_sealer_turn(node->body_sealer);
    housekeeping_turn(&node->housekeeping);
    quota_turn(&node->quota);
    if (outcome < 0)
        runtime_fail(&node->runtime, outcome);
    /* Clients first: what the links say takes a signature. */
    node->settled(node->settled_context, outcome);
    if (outcome == 0)
        files_settled(&node->files);
    if (outcome >= 0)
        links_turn_end(&node->links);
    doorway_turn_end(&node->doorway);
    tell_presence(node);
    streams_turn(&node->streams);
    turn_next(&node->turn);
}
