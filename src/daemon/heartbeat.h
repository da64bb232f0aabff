/* SPDX-License-Identifier: ISC */
/*
 * The heartbeat: tells the service manager that the daemon is alive and how it stands.
 *
 * It beats only when a turn has settled. A store that hangs or has failed silences it, and the
 * watchdog of the service manager ends what can't end itself.
 */
#pragma once

#include "core/node.h"

struct heartbeat;

/* Watches over a node, which outlives it. 0 or -ENOMEM. */
int heartbeat_new(struct heartbeat **heartbeat, struct node *node);
void heartbeat_free(struct heartbeat *heartbeat);

/* The node is up: tells so, and from now on what heartbeat_settled() has to tell. */
void heartbeat_start(struct heartbeat *heartbeat);

/* A turn has settled well. */
void heartbeat_settled(struct heartbeat *heartbeat);
