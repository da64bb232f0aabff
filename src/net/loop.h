/* SPDX-License-Identifier: ISC */
/*
 * The event loop: timers, signals, time, and the end of each turn.
 *
 * A turn is everything that was ready at once. What must happen once for all of it (the commit, the
 * replies, the reaping of objects that ended) happens in the turn's end, never inside a callback.
 * libevent stays behind this folder; a simulated network can take its place at link time.
 */
#pragma once

#include <stdint.h>

struct loop;

/* 0 or -errno. */
int loop_new(struct loop **loop);
void loop_free(struct loop *loop);

/* Runs turns until loop_stop(). 0, or -errno when polling itself fails. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Called after every turn. One per loop. */
void loop_on_turn_end(struct loop *loop, void (*callback)(void *context), void *context);

/* Makes sure that a turn ends soon even if nothing else happens. */
void loop_wake(struct loop *loop);

/* The time of this turn: monotonic, and the wall clock in milliseconds since 1970. */
uint64_t loop_now(const struct loop *loop);
uint64_t loop_wall(const struct loop *loop);

/* The monotonic time now, in the middle of a turn: to see how long it takes. */
uint64_t loop_clock(const struct loop *loop);

/*
 * Calls back at each arrival of a signal, outside signal context, until the loop is freed. 0 or
 * -errno.
 */
int loop_on_signal(struct loop *loop, int signal_number, void (*callback)(void *context),
                   void *context);

/* A timer that calls back once per arming. */
struct timer;

/* 0 or -ENOMEM. The timer starts disarmed. */
int timer_new(struct timer **timer, struct loop *loop, void (*callback)(void *context),
              void *context);
void timer_free(struct timer *timer);

/*
 * (Re)arms for the monotonic time `at_ms`; one that has passed fires in the next turn. UINT64_MAX
 * disarms.
 */
void timer_arm_at(struct timer *timer, uint64_t at_ms);
void timer_disarm(struct timer *timer);
