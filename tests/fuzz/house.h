/* SPDX-License-Identifier: ISC */
/*
 * A p2pchatd below the control interface, alone on machine 0 of the simulated network, with the
 * same store at each beginning. What else is on the network is the target's.
 */
#pragma once

#include "core/node.h"
#include "simulation/world.h"

/* Identities that are always the same: the house's own and those of others. */
enum { HOUSE_KEY, HOUSE_KEYS = 4 };
const struct identity *house_identity(unsigned index);
const struct fingerprint *house_fingerprint(unsigned index);

struct house {
    struct loop loop;
    struct db *db;
    struct node *node;
    const struct house_plan *plan;
};

/* What its node is made of. */
struct house_plan {
    struct settings settings;        /* its addresses to listen on are set already */
    const struct observer *observer; /* or NULL */
    void *observer_context;
    void (*settled)(void *context); /* each turn, or NULL */
    void (*turned)(void *context);  /* at the end of each turn, or NULL */
    void *settled_context;          /* of both */
};

/*
 * Once, before all others: `furnish` fills a first house, whose store all later ones begin with.
 */
void house_set_up(void (*furnish)(struct house *house));

/* Settings without limits that matter here. */
struct settings house_settings(void);

/* The loop and the store first, then the node, which may be given to what is made between. */
void house_init(struct house *house);
void house_open(struct house *house, const struct house_plan *plan);
void house_deinit(struct house *house);

/* Lets it work until it has nothing to do at this time. */
void house_work(struct house *house);
