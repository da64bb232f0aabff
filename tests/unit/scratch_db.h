/* SPDX-License-Identifier: ISC */
/*
 * A database in a directory of its own, for the tests of store/.
 */
#pragma once

#include "store/db.h"
#include "store/events.h"
#include "store/messages.h"
#include "store/peers.h"
#include "store/queue.h"

struct scratch {
    char directory[64];
    char path[96]; /* of the database */
    struct db *db;
};

/* For cmocka: *state is a struct scratch with an open database. */
int scratch_set_up(void **state);
int scratch_tear_down(void **state);

/* Closes the database as a crash would, without a commit, and opens it again. */
void scratch_reopen(struct scratch *scratch);

/* Commits, which must work. */
void scratch_commit(struct scratch *scratch);

/* Runs SQL past the store. */
void scratch_execute(struct scratch *scratch, const char *script);

/* How many messages there are. */
uint64_t scratch_stored(struct scratch *scratch);

/* Runs `body` in a process of its own and gives its exit status. */
int scratch_in_child(int (*body)(struct scratch *scratch), struct scratch *scratch);

/* Adds a pinned peer; each name gives another key. */
struct peer_row scratch_peer(struct scratch *scratch, const char *name);

/* The n-th id. */
struct uuid scratch_id(unsigned n);

/* A message as the modules above would add it, with body "text n": received or queued, at n * 1000
 * ms. */
struct message_row scratch_message(int64_t peer, enum message_direction direction, unsigned n);

/* Adds that message, which must work. */
struct message_row scratch_add(struct scratch *scratch, int64_t peer,
                               enum message_direction direction, unsigned n);
