/* SPDX-License-Identifier: ISC */
/*
 * Simulated time, and the event loops that live in it: net/loop.h without a kernel.
 *
 * Every loop belongs to a machine. Whatever can call back is a source with a time from which it
 * wants to; a turn serves due sources in an order that the dice choose, possibly not all of them.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "net/loop.h"

enum { MACHINES_MAX = 4 };

/* Time that never comes. */
#define NEVER UINT64_MAX

/* How the process on a machine is going down; what it still does has no effect outside. */
enum fall {
    FALL_NONE,
    FALL_KILLED, /* the kernel resets its connections */
    FALL_POWER,  /* nobody says anything */
};

struct source {
    struct list node;
    struct loop *loop;
    uint64_t (*due)(const struct source *source); /* NEVER for not at all */
    void (*fire)(struct source *source);
    unsigned served; /* the last turn it had its chance in */
};

struct loop {
    unsigned machine;
    struct list sources;
    bool woken;
    unsigned turn;
    enum fall fall;
};

/* What a machine is called; MACHINES_MAX is none. */
const char *world_name(unsigned machine);

uint64_t world_now(void);

/* Begins a run: the time, nobody's clock is wrong, no complaint. */
void world_reset(void);
void world_set_time(uint64_t now_ms);

/* Sets a machine's wall clock off by so much. */
void world_step_clock(unsigned machine, int64_t by_ms);

void loop_init(struct loop *loop, unsigned machine);
void source_init(struct source *source, struct loop *loop,
                 uint64_t (*due)(const struct source *source), void (*fire)(struct source *source));
void source_deinit(struct source *source);

/* When the loop's next turn has something to do. */
uint64_t loop_due(const struct loop *loop);

/* Calls back what is due, at most `limit` sources. The turn's end is the caller's. */
void loop_serve(struct loop *loop, unsigned limit);

/* What happens, for people; nothing unless the trace is on. */
void world_trace_on(void);
void trace(unsigned machine, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * A promise is broken. The first complaint of a run is kept; NULL while there is none.
 */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *world_complaint(void);
