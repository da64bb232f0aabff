/* SPDX-License-Identifier: ISC */
/*
 * Races. When to dial again is decided above.
 */
#include "net/dialer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "net/dialer_state.h"

enum { RESERVED_DESCRIPTORS = 128 };

/* --- bounds over all races -------------------------------------------------------------------- */

static unsigned choose_sockets_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return DIALER_SOCKETS_MAX;
    rlim_t share =
        limit.rlim_cur > RESERVED_DESCRIPTORS ? (limit.rlim_cur - RESERVED_DESCRIPTORS) / 4 : 0;
    return share > DIALER_SOCKETS_MAX ? DIALER_SOCKETS_MAX
           : share < DIAL_SOCKETS_MAX ? DIAL_SOCKETS_MAX
                                      : (unsigned)share;
}

int dialer_new(struct dialer **dialer, struct loop *loop)
{
    struct dialer *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    *made = (struct dialer){.loop = loop, .sockets_max = choose_sockets_max()};
    for (unsigned i = 0; i < DIAL_PRIORITIES; i++)
        list_init(&made->waiting[i]);
    list_init(&made->starved);
    *dialer = made;
    return 0;
}

void dialer_free(struct dialer *dialer)
{
    free(dialer);
}

static uint64_t now(const struct dial *dial)
{
    return loop_now(dial->dialer->loop);
}

void dial_wake_first(struct list *list)
{
    if (!list_empty(list))
        timer_arm_at(container_of(list->next, struct dial, node)->timer, 0);
}

static void wake_waiting(struct dialer *dialer)
{
    for (unsigned i = 0; i < DIAL_PRIORITIES; i++)
        if (!list_empty(&dialer->waiting[i])) {
            dial_wake_first(&dialer->waiting[i]);
            return;
        }
}

/* All that connects is as if it had not been tried. */
static void drop_connecting(struct dial *dial)
{
    for (unsigned i = 0; i < dial->candidate_count; i++) {
        struct candidate *candidate = &dial->candidates[i];
        if (candidate->state != CONNECTING)
            continue;
        connector_cancel(STEAL(candidate->connector));
        candidate->state = UNTRIED;
        candidates_return_socket(dial);
    }
}

void dial_cancel(struct dial *dial)
{
    if (dial == NULL)
        return;
    drop_connecting(dial);
    candidates_end_lookups(dial, NULL);
    stream_free(dial->reserve);
    list_remove(&dial->node);
    if (dial->state != WAITING)
        dial->dialer->races--;
    wake_waiting(dial->dialer);
    timer_free(dial->timer);
    free(dial);
}

DEFINE_CLEANUP(struct dial *, dial_cleanup, dial_cancel)

/* --- the race --------------------------------------------------------------------------------- */

static void on_connector(void *context, struct stream *stream, const char *error)
{
    struct candidate *candidate = context;
    struct dial *dial = candidate->dial;
    unsigned way = candidates_way(candidate);
    bool first = dial->state == RACING;
    candidate->connector = NULL;
    candidates_end(dial, candidate, error);
    timer_arm_at(dial->timer, 0);
    if (stream == NULL)
        return;
    dial->state = RESTING;
    if (first && dial->events->connected(dial->context, way, stream))
        return;
    dial->reserve = stream;
    dial->reserve_way = way;
    drop_connecting(dial);
}

/* So much that all that are left get their turn, with so many sockets. */
static uint64_t share_ms(const struct dial *dial)
{
    uint64_t left = dial->deadline_ms - now(dial);
    uint64_t share = left / (1 + candidates_untried(dial) / DIAL_SOCKETS_MAX);
    return share < DIAL_CONNECT_MS ? share : DIAL_CONNECT_MS;
}

static void try(struct dial *dial, struct candidate *candidate)
{
    uint64_t patience_ms = share_ms(dial);
    dial->latest_ms = now(dial);
    dial->family = candidate->address.any.sa_family;
    dial->hurried = false;
    int r = connector_start(&candidate->connector, dial->dialer->loop, &candidate->address.any,
                            candidate->size, on_connector, candidate);
    if (r < 0) {
        candidates_end(dial, candidate, strerror(-r));
        return;
    }
    candidate->state = CONNECTING;
    candidate->deadline_ms = now(dial) + patience_ms;
    dial->connecting++;
    dial->dialer->sockets++;
}

/* When the next start may be; UINT64_MAX while that depends on others. */
static uint64_t next_start(struct dial *dial)
{
    struct dialer *dialer = dial->dialer;
    if (candidates_untried(dial) == 0 || dial->connecting == DIAL_SOCKETS_MAX)
        return UINT64_MAX;
    if (dialer->sockets >= dialer->sockets_max) {
        if (list_empty(&dial->node))
            list_append(&dialer->starved, &dial->node);
        return UINT64_MAX;
    }
    if (dial->latest_ms == 0)
        return now(dial);
    return dial->latest_ms +
           (dial->hurried || dial->connecting == 0 ? DIAL_GAP_MS : DIAL_STAGGER_MS);
}

static void end_late_candidates(struct dial *dial)
{
    for (unsigned i = 0; i < dial->candidate_count; i++) {
        struct candidate *candidate = &dial->candidates[i];
        if (candidate->state == CONNECTING && now(dial) >= candidate->deadline_ms)
            candidates_end(dial, candidate, strerror(ETIMEDOUT));
    }
}

/* The time is up. */
static void end_all(struct dial *dial)
{
    for (unsigned i = 0; i < dial->candidate_count; i++)
        if (dial->candidates[i].state != DONE)
            candidates_end(dial, &dial->candidates[i], strerror(ETIMEDOUT));
    candidates_end_lookups(dial, "no answer from the name server");
}

static bool is_open(const struct dial *dial)
{
    for (unsigned i = 0; i < dial->count; i++)
        if (dial->ways[i].open > 0)
            return true;
    return dial->reserve != NULL;
}

static void finish(struct dial *dial)
{
    const struct dial_events *events = dial->events;
    void *context = dial->context;
    dial_cancel(dial);
    events->over(context);
}

static void arm(struct dial *dial, uint64_t start_ms)
{
    uint64_t at_ms = dial->state == RACING ? dial->deadline_ms : UINT64_MAX;
    for (unsigned i = 0; i < dial->candidate_count; i++)
        if (dial->candidates[i].state == CONNECTING && dial->candidates[i].deadline_ms < at_ms)
            at_ms = dial->candidates[i].deadline_ms;
    timer_arm_at(dial->timer, start_ms < at_ms ? start_ms : at_ms);
}

static void race(struct dial *dial)
{
    uint64_t start_ms;
    if (now(dial) >= dial->deadline_ms)
        end_all(dial);
    while ((start_ms = next_start(dial)) <= now(dial))
        try(dial, candidates_choose(dial));
    if (is_open(dial))
        arm(dial, start_ms);
    else
        finish(dial);
}

static void hand_out_reserve(struct dial *dial)
{
    struct stream *stream = STEAL(dial->reserve);
    dial->state = RESTING;
    if (!dial->events->connected(dial->context, dial->reserve_way, stream))
        dial->reserve = stream;
}

/* Leaves the waiting ones, if there is room for one more race. */
static bool begin(struct dial *dial)
{
    struct dialer *dialer = dial->dialer;
    if (dialer->races >= DIALER_RACES_MAX)
        return false;
    list_remove(&dial->node);
    dialer->races++;
    dial->state = RACING;
    dial->deadline_ms = now(dial) + DIAL_RACE_MS;
    for (unsigned i = 0; i < dial->count; i++)
        candidates_resolve(dial, i);
    wake_waiting(dialer);
    return true;
}

static void on_timer(void *context)
{
    struct dial *dial = context;
    if (dial->state == WAITING && !begin(dial))
        return;
    list_remove(&dial->node);
    end_late_candidates(dial);
    if (dial->state == RACING && dial->reserve != NULL)
        hand_out_reserve(dial);
    if (dial->state == RACING)
        race(dial);
    else
        arm(dial, UINT64_MAX);
}

int dial_start(struct dial **result, struct dialer *dialer, enum dial_priority priority,
               const struct address *ways, unsigned count, const struct dial_events *events,
               void *context)
{
    CLEANUP(dial_cleanup) struct dial *dial = calloc(1, sizeof *dial);
    if (dial == NULL)
        return -ENOMEM;
    dial->dialer = dialer;
    dial->state = WAITING;
    dial->addresses = ways;
    dial->count = count < DIAL_WAYS_MAX ? count : DIAL_WAYS_MAX;
    dial->events = events;
    dial->context = context;
    list_init(&dial->node);
    int r = timer_new(&dial->timer, dialer->loop, on_timer, dial);
    if (r < 0)
        return r;
    list_append(&dialer->waiting[priority], &dial->node);
    timer_arm_at(dial->timer, 0);
    *result = STEAL(dial);
    return 0;
}

void dial_go_on(struct dial *dial)
{
    uint64_t patience_ms = now(dial) + DIAL_CONNECT_MS;
    dial->state = RACING;
    if (dial->deadline_ms < patience_ms)
        dial->deadline_ms = patience_ms;
    timer_arm_at(dial->timer, 0);
}
