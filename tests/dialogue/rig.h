/* SPDX-License-Identifier: ISC */
/*
 * Two parties in one process: a wire of bytes between them, and a clock that a test moves.
 */
#pragma once

#include "dialogue/party.h"

enum { RIG_START_MS = 1000000 };

struct rig {
    struct party joiner;
    struct party host;
    uint64_t now_ms;
    size_t segment; /* bytes handed over at once; 0 for all */
};

/*
 * Starts crypto, loads the identities and lets parties speak suite 1 only, unless a test says
 * otherwise; as a cmocka group set-up and tear-down.
 */
int rig_group_setup(void **state);
int rig_group_teardown(void **state);

void rig_init(struct rig *rig);
void rig_deinit(struct rig *rig);

/* Moves bytes until nobody has anything to say. */
void rig_run(struct rig *rig);

/* From nothing to OPEN, asserting it. */
void rig_open(struct rig *rig);

/*
 * From nothing to OPEN and to a message of the joiner's that is acknowledged, each asserted to say
 * as many bytes as these at each of its four turns.
 */
void rig_open_measured(struct rig *rig, const size_t joiner_sizes[static 4],
                       const size_t host_sizes[static 4]);

/* Moves the clock in steps to every deadline on the way, and runs. */
void rig_pass(struct rig *rig, uint64_t ms);
