/* SPDX-License-Identifier: ISC */
/*
 * Simulated time and event loops.
 */
#include "simulation/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "simulation/dice.h"

#define START_MS      UINT64_C(1000000)
#define START_WALL_MS UINT64_C(1700000000000)

static struct {
    uint64_t now_ms;
    int64_t clock_error_ms[MACHINES_MAX];
    bool traced;
    char complaint[256];
} world;

/* --- time ------------------------------------------------------------------------------------- */

const char *world_name(unsigned machine)
{
    static const char *const names[MACHINES_MAX + 1] = {"ann", "bob", "cem", "dan", "-"};
    return names[machine];
}

uint64_t world_now(void)
{
    return world.now_ms;
}

void world_reset(void)
{
    world.now_ms = START_MS;
    world.complaint[0] = '\0';
    for (unsigned i = 0; i < MACHINES_MAX; i++)
        world.clock_error_ms[i] = 0;
}

void world_set_time(uint64_t now_ms)
{
    if (now_ms > world.now_ms)
        world.now_ms = now_ms;
}

void world_step_clock(unsigned machine, int64_t by_ms)
{
    world.clock_error_ms[machine] += by_ms;
}

uint64_t loop_now(const struct loop *loop)
{
    (void)loop;
    return world.now_ms;
}

uint64_t loop_clock(const struct loop *loop)
{
    return loop_now(loop);
}

uint64_t loop_wall(const struct loop *loop)
{
    int64_t wall = (int64_t)(START_WALL_MS + world.now_ms) + world.clock_error_ms[loop->machine];
    return wall > 0 ? (uint64_t)wall : 0;
}

/* For the log's limits. */
uint64_t clock_monotonic_ms(void)
{
    return world.now_ms;
}

uint64_t clock_wall_ms(void)
{
    return START_WALL_MS + world.now_ms;
}

/* --- loops ------------------------------------------------------------------------------------ */

void loop_init(struct loop *loop, unsigned machine)
{
    *loop = (struct loop){.machine = machine};
    list_init(&loop->sources);
}

void loop_wake(struct loop *loop)
{
    loop->woken = true;
}

void source_init(struct source *source, struct loop *loop,
                 uint64_t (*due)(const struct source *source), void (*fire)(struct source *source))
{
    *source = (struct source){.loop = loop, .due = due, .fire = fire, .served = loop->turn};
    list_init(&source->node);
    list_append(&loop->sources, &source->node);
}

void source_deinit(struct source *source)
{
    list_remove(&source->node);
}

uint64_t loop_due(const struct loop *loop)
{
    uint64_t earliest = loop->woken ? world.now_ms : NEVER;
    list_for_each (node, &loop->sources) {
        const struct source *source = container_of(node, struct source, node);
        uint64_t due = source->due(source);
        if (due < earliest)
            earliest = due;
    }
    return earliest;
}

/* Of the sources that are due and had no chance in this turn, one at random. */
static struct source *choose(const struct loop *loop)
{
    struct source *chosen = NULL;
    unsigned seen = 0;
    list_for_each (node, &loop->sources) {
        struct source *source = container_of(node, struct source, node);
        if (source->served != loop->turn && source->due(source) <= world.now_ms &&
            dice_below(++seen) == 0)
            chosen = source;
    }
    return chosen;
}

void loop_serve(struct loop *loop, unsigned limit)
{
    struct source *source;
    loop->woken = false;
    loop->turn++;
    while (limit-- > 0 && (source = choose(loop)) != NULL) {
        source->served = loop->turn;
        source->fire(source);
    }
}

/* --- timers ----------------------------------------------------------------------------------- */

struct timer {
    struct source source;
    uint64_t at_ms;
    void (*callback)(void *context);
    void *context;
};

static uint64_t timer_due(const struct source *source)
{
    return container_of(source, const struct timer, source)->at_ms;
}

static void timer_fire(struct source *source)
{
    struct timer *timer = container_of(source, struct timer, source);
    timer->at_ms = NEVER;
    timer->callback(timer->context);
}

int timer_new(struct timer **result, struct loop *loop, void (*callback)(void *context),
              void *context)
{
    struct timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL)
        return -ENOMEM;
    source_init(&timer->source, loop, timer_due, timer_fire);
    timer->at_ms = NEVER;
    timer->callback = callback;
    timer->context = context;
    *result = timer;
    return 0;
}

void timer_free(struct timer *timer)
{
    if (timer == NULL)
        return;
    source_deinit(&timer->source);
    free(timer);
}

void timer_arm_at(struct timer *timer, uint64_t at_ms)
{
    timer->at_ms = at_ms;
}

void timer_disarm(struct timer *timer)
{
    timer->at_ms = NEVER;
}

/* --- what people read ------------------------------------------------------------------------- */

void world_trace_on(void)
{
    world.traced = true;
}

void trace(unsigned machine, const char *format, ...)
{
    va_list arguments;
    if (!world.traced)
        return;
    printf("%9.3f %-3s ", (double)(world.now_ms - START_MS) / 1000, world_name(machine));
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

void complain(const char *format, ...)
{
    va_list arguments;
    if (world.complaint[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(world.complaint, sizeof world.complaint, format, arguments);
    va_end(arguments);
    trace(MACHINES_MAX, "BROKEN: %s", world.complaint);
}

const char *world_complaint(void)
{
    return world.complaint[0] != '\0' ? world.complaint : NULL;
}
