/* SPDX-License-Identifier: ISC */
/*
 * Runs a loop in tests. Checks nothing itself but that the loop can be made and run.
 */
#include "unit/net_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void on_turn_end(void *context)
{
    struct rig *rig = context;
    rig->turns++;
    if (rig->timed_out || (rig->done != NULL && rig->done(rig->context)))
        loop_stop(rig->loop);
}

static void on_step(void *context)
{
    struct rig *rig = context;
    rig->timed_out = --rig->steps == 0;
    if (!rig->timed_out)
        timer_arm_at(rig->limit, loop_now(rig->loop) + rig->step_ms);
}

void rig_init(struct rig *rig)
{
    *rig = (struct rig){0};
    assert_int_equal(loop_new(&rig->loop), 0);
    assert_int_equal(timer_new(&rig->limit, rig->loop, on_step, rig), 0);
}

void rig_deinit(struct rig *rig)
{
    timer_free(rig->limit);
    loop_free(rig->loop);
}

static bool rig_run(struct rig *rig, bool (*done)(void *context), void *context, unsigned ms)
{
    rig->turns = 0;
    rig->timed_out = false;
    rig->done = done;
    rig->context = context;
    rig->steps = ms < 1 ? 1 : ms < RIG_STEPS_MAX ? ms : RIG_STEPS_MAX;
    rig->step_ms = ms / rig->steps;
    loop_on_turn_end(rig->loop, on_turn_end, rig);
    timer_arm_at(rig->limit, loop_now(rig->loop) + rig->step_ms);
    assert_int_equal(loop_run(rig->loop), 0);
    timer_disarm(rig->limit);
    return !rig->timed_out;
}

bool rig_run_until(struct rig *rig, bool (*done)(void *context), void *context)
{
    return rig_run(rig, done, context, PATIENCE_MS);
}

static bool is_true(void *flag)
{
    return *(bool *)flag;
}

bool rig_run_until_true(struct rig *rig, bool *flag)
{
    return rig_run(rig, is_true, flag, PATIENCE_MS);
}

void rig_run_for(struct rig *rig, unsigned ms)
{
    rig_run(rig, NULL, NULL, ms);
}
