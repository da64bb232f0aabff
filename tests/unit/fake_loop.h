/* SPDX-License-Identifier: ISC */
/*
 * Stands in for net/loop.c in tests: time stands still until a test moves it, and timers fire when
 * the test lets them. One instance per process.
 */
#pragma once

#include <stdbool.h>

#include "net/loop.h"

enum { FAKE_LOOP_TIMERS_MAX = 8 };

struct timer {
    void (*callback)(void *context); /* NULL: there is no such timer */
    void *context;
    uint64_t at_ms; /* UINT64_MAX: disarmed */
};

extern struct fake_loop {
    uint64_t now_ms;
    uint64_t wall_lead_ms; /* of the wall clock over the monotonic one */
    unsigned woken;        /* how often */
    struct timer timers[FAKE_LOOP_TIMERS_MAX];
} fake_loop;

/* Begins anew, without timers. */
void fake_loop_start(uint64_t now_ms, uint64_t wall_lead_ms);

/* When the next timer fires; UINT64_MAX: none will. */
uint64_t fake_loop_due(void);

/*
 * Goes on to the next timer that is due by then, and fires it. False: there is none, and it is
 * `until_ms` now.
 */
bool fake_loop_step(uint64_t until_ms);
