/* SPDX-License-Identifier: ISC */
/*
 * A loop to test with: runs until something happened or patience ends, and counts its turns.
 */
#pragma once

#include <stdbool.h>

#include "net/loop.h"

enum {
    PATIENCE_MS = 60000,
    RIG_STEPS_MAX = 10,
    RIG_TURNS_MAX = 2 * RIG_STEPS_MAX, /* what the steps of a run may cost */
};

/*
 * The time of a run passes in steps: if the machine stood still for all of it, what was ready in
 * the meantime still gets its turns.
 */
struct rig {
    struct loop *loop;
    struct timer *limit;
    unsigned steps; /* that are left */
    unsigned step_ms;
    unsigned turns; /* of the last run */
    bool timed_out;
    bool (*done)(void *context);
    void *context;
};

void rig_init(struct rig *rig);
void rig_deinit(struct rig *rig);

/* Runs until `done` says so at the end of a turn; whether it did before PATIENCE_MS were over. */
bool rig_run_until(struct rig *rig, bool (*done)(void *context), void *context);

/* Runs until *flag, in the same way. */
bool rig_run_until_true(struct rig *rig, bool *flag);

/* Runs for some time, to see what does not happen. */
void rig_run_for(struct rig *rig, unsigned ms);
