/* SPDX-License-Identifier: ISC */
/*
 * Time and timers as the test wants them.
 */
#include "unit/fake_loop.h"

#include "unit/cmocka_all.h"

struct fake_loop fake_loop;

void fake_loop_start(uint64_t now_ms, uint64_t wall_lead_ms)
{
    fake_loop = (struct fake_loop){.now_ms = now_ms, .wall_lead_ms = wall_lead_ms};
}

static struct timer *next_timer(void)
{
    struct timer *next = NULL;
    for (unsigned i = 0; i < FAKE_LOOP_TIMERS_MAX; i++) {
        struct timer *timer = &fake_loop.timers[i];
        if (timer->callback != NULL && timer->at_ms != UINT64_MAX &&
            (next == NULL || timer->at_ms < next->at_ms))
            next = timer;
    }
    return next;
}

uint64_t fake_loop_due(void)
{
    const struct timer *next = next_timer();
    return next != NULL ? next->at_ms : UINT64_MAX;
}

bool fake_loop_step(uint64_t until_ms)
{
    struct timer *next = next_timer();
    if (next == NULL || next->at_ms > until_ms) {
        fake_loop.now_ms = until_ms;
        return false;
    }
    if (next->at_ms > fake_loop.now_ms)
        fake_loop.now_ms = next->at_ms;
    next->at_ms = UINT64_MAX;
    next->callback(next->context);
    return true;
}

/* --- net/loop.h ------------------------------------------------------------------------------- */

uint64_t loop_now(const struct loop *loop)
{
    (void)loop;
    return fake_loop.now_ms;
}

uint64_t loop_wall(const struct loop *loop)
{
    (void)loop;
    return fake_loop.now_ms + fake_loop.wall_lead_ms;
}

uint64_t loop_clock(const struct loop *loop)
{
    return loop_now(loop);
}

void loop_wake(struct loop *loop)
{
    (void)loop;
    fake_loop.woken++;
}

int timer_new(struct timer **timer, struct loop *loop, void (*callback)(void *context),
              void *context)
{
    unsigned place = 0;
    (void)loop;
    while (place < FAKE_LOOP_TIMERS_MAX && fake_loop.timers[place].callback != NULL)
        place++;
    assert_in_range(place, 0, FAKE_LOOP_TIMERS_MAX - 1);
    *timer = &fake_loop.timers[place];
    **timer = (struct timer){callback, context, UINT64_MAX};
    return 0;
}

void timer_free(struct timer *timer)
{
    if (timer != NULL)
        *timer = (struct timer){0};
}

void timer_arm_at(struct timer *timer, uint64_t at_ms)
{
    timer->at_ms = at_ms;
}

void timer_disarm(struct timer *timer)
{
    timer_arm_at(timer, UINT64_MAX);
}
