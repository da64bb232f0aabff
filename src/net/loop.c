/* SPDX-License-Identifier: ISC */
/*
 * The event loop over libevent: turns, time, signals and timers. It knows nothing of sockets.
 */
#define LOG_COMPONENT "loop"
#include "net/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/libevent.h"

/*
 * A timer that comes so late gives way to one more look for input: a process that was stopped
 * and goes on finds the wait interrupted with nothing ready, and would take answers that came long
 * ago for missing.
 */
enum { LATE_MS = 1000 };

/* What the clocks said in this turn; read when first asked for, which is after the wait. */
struct turn_time {
    bool known;
    uint64_t now_ms;
    uint64_t wall_ms;
};

struct loop {
    struct event_base *base;
    struct event *wake;
    struct turn_time *time;       /* apart, because asking a loop for the time does not change it */
    struct signal_watch *signals; /* newest first */
    void (*turn_end)(void *context);
    void *turn_end_context;
    unsigned held;
    bool stopping;
};

struct signal_watch {
    struct signal_watch *next;
    struct event *event;
    void (*callback)(void *context);
    void *context;
};

struct timer {
    struct loop *loop;
    struct event *event;
    uint64_t at_ms; /* not before it was armed */
    bool gave_way;
    void (*callback)(void *context);
    void *context;
};

DEFINE_CLEANUP(struct loop *, loop_cleanup, loop_free)
DEFINE_CLEANUP(struct event_config *, event_config_cleanup, event_config_free)

/* --- the loop --------------------------------------------------------------------------------- */

static void on_libevent_log(int severity, const char *message)
{
    if (severity == EVENT_LOG_ERR)
        log_error("%s", message);
    else if (severity == EVENT_LOG_WARN)
        log_warning("%s", message);
    else
        log_debug("%s", message);
}

/* Being called is all there is to it: the wait has ended. */
static void on_wake(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    (void)argument;
}

/*
 * The default clock of libevent is coarse: timers would fire some milliseconds early and out of
 * order.
 */
static struct event_base *base_new(void)
{
    CLEANUP(event_config_cleanup) struct event_config *config = event_config_new();
    if (config == NULL || event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) < 0)
        return NULL;
    return event_base_new_with_config(config);
}

int loop_new(struct loop **result)
{
    CLEANUP(loop_cleanup) struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return -ENOMEM;
    event_set_log_callback(on_libevent_log);

    errno = 0;
    loop->base = base_new();
    if (loop->base == NULL)
        return errno > 0 ? -errno : -ENOMEM;
    loop->time = calloc(1, sizeof *loop->time);
    loop->wake = event_new(loop->base, -1, 0, on_wake, NULL);
    if (loop->time == NULL || loop->wake == NULL)
        return -ENOMEM;
    *result = STEAL(loop);
    return 0;
}

static void signal_watch_free(struct signal_watch *watch)
{
    if (watch->event != NULL)
        event_free(watch->event);
    free(watch);
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    while (loop->signals != NULL) {
        struct signal_watch *watch = loop->signals;
        loop->signals = watch->next;
        signal_watch_free(watch);
    }
    while (loop->held > 0 && event_base_loop(loop->base, EVLOOP_ONCE) == 0)
        continue;
    if (loop->wake != NULL)
        event_free(loop->wake);
    if (loop->base != NULL)
        event_base_free(loop->base);
    free(loop->time);
    free(loop);
}

static int loop_turn(struct loop *loop)
{
    loop->time->known = false;
    errno = 0;
    if (event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY) < 0)
        return errno > 0 ? -errno : -EIO;
    if (loop->turn_end != NULL)
        loop->turn_end(loop->turn_end_context);
    return 0;
}

int loop_run(struct loop *loop)
{
    int r = 0;
    while (!loop->stopping && r == 0)
        r = loop_turn(loop);
    loop->stopping = false;
    return r;
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
    loop_wake(loop);
}

void loop_on_turn_end(struct loop *loop, void (*callback)(void *context), void *context)
{
    loop->turn_end = callback;
    loop->turn_end_context = context;
}

void loop_wake(struct loop *loop)
{
    event_active(loop->wake, EV_TIMEOUT, 1);
}

struct event_base *loop_base(const struct loop *loop)
{
    return loop->base;
}

void loop_hold(struct loop *loop)
{
    loop->held++;
}

void loop_release(struct loop *loop)
{
    loop->held--;
}

/* --- time ------------------------------------------------------------------------------------- */

static const struct turn_time *turn_time(const struct loop *loop)
{
    struct turn_time *time = loop->time;
    if (!time->known) {
        time->known = true;
        time->now_ms = clock_monotonic_ms();
        time->wall_ms = clock_wall_ms();
    }
    return time;
}

uint64_t loop_now(const struct loop *loop)
{
    return turn_time(loop)->now_ms;
}

uint64_t loop_wall(const struct loop *loop)
{
    return turn_time(loop)->wall_ms;
}

uint64_t loop_clock(const struct loop *loop)
{
    (void)loop;
    return clock_monotonic_ms();
}

/* --- signals ---------------------------------------------------------------------------------- */

static void on_signal(evutil_socket_t signal_number, short what, void *argument)
{
    const struct signal_watch *watch = argument;
    (void)signal_number;
    (void)what;
    watch->callback(watch->context);
}

int loop_on_signal(struct loop *loop, int signal_number, void (*callback)(void *context),
                   void *context)
{
    struct signal_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return -ENOMEM;
    watch->callback = callback;
    watch->context = context;
    watch->event = evsignal_new(loop->base, signal_number, on_signal, watch);
    if (watch->event == NULL || event_add(watch->event, NULL) < 0) {
        signal_watch_free(watch);
        return -EINVAL;
    }
    watch->next = loop->signals;
    loop->signals = watch;
    return 0;
}

/* --- timers ----------------------------------------------------------------------------------- */

static void give_way(struct timer *timer)
{
    timer->gave_way = true;
    evtimer_add(timer->event, &(struct timeval){0});
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct timer *timer = argument;
    const uint64_t now = loop_now(timer->loop);
    (void)fd;
    (void)what;
    /* The wait and base/clock use different clocks, which may disagree by a little. */
    if (timer->at_ms > now)
        timer_arm_at(timer, timer->at_ms);
    else if (now - timer->at_ms >= LATE_MS && !timer->gave_way)
        give_way(timer);
    else
        timer->callback(timer->context);
}

int timer_new(struct timer **result, struct loop *loop, void (*callback)(void *context),
              void *context)
{
    struct timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL)
        return -ENOMEM;
    timer->loop = loop;
    timer->callback = callback;
    timer->context = context;
    timer->event = evtimer_new(loop->base, on_timer, timer);
    if (timer->event == NULL) {
        free(timer);
        return -ENOMEM;
    }
    *result = timer;
    return 0;
}

void timer_free(struct timer *timer)
{
    if (timer == NULL)
        return;
    event_free(timer->event);
    free(timer);
}

void timer_arm_at(struct timer *timer, uint64_t at_ms)
{
    const uint64_t now = loop_now(timer->loop);
    const uint64_t wait_ms = at_ms > now ? at_ms - now : 0;
    const struct timeval wait = {
        .tv_sec = (time_t)(wait_ms / 1000),
        .tv_usec = (suseconds_t)(wait_ms % 1000) * 1000,
    };
    timer->at_ms = at_ms > now ? at_ms : now;
    timer->gave_way = false;
    if (at_ms == UINT64_MAX)
        timer_disarm(timer);
    else
        evtimer_add(timer->event, &wait);
}

void timer_disarm(struct timer *timer)
{
    evtimer_del(timer->event);
}
