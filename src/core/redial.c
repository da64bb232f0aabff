/* SPDX-License-Identifier: ISC */
/*
 * When to dial a peer.
 */
#include "core/redial.h"

#include "base/backoff.h"

enum {
    HEAD_START_MS = 2000, /* of direct ways, while nothing speaks against them */
    START_SPREAD_MS = 500,
    RECENT_MS = 3600 * 1000,        /* a peer seen so lately is dialled often */
    DUPLICATE_WAIT_MS = 5000,       /* up to twice that, like the next */
    DISPLACED_WAIT_MS = 600 * 1000, /* else two with one key take each other's place for ever */
    UNPROVEN_MAX = 5,               /* then UNPROVEN_PAUSE_MS */
    UNPROVEN_PAUSE_MS = 600 * 1000,
    SHORT_LIFE_MS = 60 * 1000,
    SHORT_LIFE_FAILURES = 3, /* what the first short life counts as: 30 s become 4 min */
};

static const struct backoff_plan eager = {1000, 10 * 1000};
static const struct backoff_plan patient = {1000, 300 * 1000};
static const struct backoff_plan refused = {60 * 1000, 600 * 1000};
static const struct backoff_plan upgrade = {30 * 1000, 1800 * 1000};

/* The wait after so many failures, at least one. */
static uint64_t wait_after(const struct backoff_plan *plan, unsigned failures, uint32_t random)
{
    struct backoff backoff = {failures - 1};
    return backoff_next(&backoff, plan, random);
}

static uint64_t after_failure(const struct redial *redial, const struct redial_facts *facts,
                              enum redial_class class)
{
    bool recent = redial->online_ms != 0 && facts->now_ms - redial->online_ms < RECENT_MS;
    unsigned failures = redial->failures[class];
    const struct backoff_plan *plan = recent || facts->has_queue ? &eager : &patient;
    if (facts->link != REDIAL_UNLINKED) {
        plan = &upgrade;
        if (redial->short_lived > 0)
            failures += redial->short_lived + SHORT_LIFE_FAILURES - 1;
    }
    return facts->now_ms + wait_after(plan, failures, facts->random);
}

static void set_due(struct redial *redial, uint64_t at_ms)
{
    for (unsigned i = 0; i < REDIAL_CLASSES; i++)
        redial->due_ms[i] = at_ms;
}

static void start_over(struct redial *redial, uint64_t at_ms)
{
    for (unsigned i = 0; i < REDIAL_CLASSES; i++)
        redial->failures[i] = 0;
    redial->refusals = redial->unproven = 0;
    redial->displaced = false;
    set_due(redial, at_ms);
}

/* A wait that nothing but people shortens. */
static bool is_paused(const struct redial *redial)
{
    return redial->refusals > 0 || redial->displaced || redial->unproven >= UNPROVEN_MAX;
}

static void urge(struct redial *redial, const struct redial_facts *facts)
{
    if (is_paused(redial) || facts->link != REDIAL_UNLINKED)
        return;
    for (unsigned i = 0; i < REDIAL_CLASSES; i++)
        if (redial->due_ms[i] > facts->now_ms + eager.limit_ms) {
            redial->due_ms[i] = facts->now_ms;
            redial->failures[i] = 0;
        }
}

static void note_failure(struct redial *redial, const struct redial_facts *facts,
                         enum redial_class class, bool unproven)
{
    redial->refusals = 0;
    redial->displaced = false;
    redial->unproven = unproven ? redial->unproven + 1 : 0;
    redial->failures[class]++;
    redial->due_ms[class] = redial->unproven >= UNPROVEN_MAX ? facts->now_ms + UNPROVEN_PAUSE_MS
                                                             : after_failure(redial, facts, class);
}

static void note_opened(struct redial *redial, const struct redial_facts *facts,
                        enum redial_class class)
{
    redial->refusals = redial->unproven = 0;
    redial->displaced = false;
    redial->failures[class] = 0;
    redial->online_ms = facts->now_ms;
    if (class == REDIAL_DIRECT)
        return;
    bool is_hopeful = redial->failures[REDIAL_DIRECT] == 0 && redial->short_lived == 0;
    redial->due_ms[REDIAL_DIRECT] =
        is_hopeful ? facts->now_ms : after_failure(redial, facts, REDIAL_DIRECT);
}

static void note_lost(struct redial *redial, const struct redial_facts *facts,
                      enum redial_class class)
{
    redial->online_ms = facts->now_ms;
    if (class == REDIAL_DIRECT)
        redial->short_lived =
            facts->now_ms - facts->link_ms < SHORT_LIFE_MS ? redial->short_lived + 1 : 0;
    redial->due_ms[REDIAL_INDIRECT] = facts->now_ms;
    redial->due_ms[REDIAL_DIRECT] =
        facts->now_ms + (redial->short_lived > 1 ? wait_after(&eager, 1, facts->random) : 0);
}

static void note_duplicate(struct redial *redial, const struct redial_facts *facts)
{
    const uint32_t wait_ms = facts->cloned ? DISPLACED_WAIT_MS : DUPLICATE_WAIT_MS;
    redial->displaced = facts->cloned;
    set_due(redial, facts->now_ms + wait_ms + facts->random % wait_ms);
}

void redial_note(struct redial *redial, const struct redial_facts *facts, enum redial_event event,
                 enum redial_class class)
{
    switch (event) {
    case REDIAL_START:
        start_over(redial,
                   facts->now_ms +
                       (facts->yields && !facts->has_queue ? facts->random % START_SPREAD_MS : 0));
        break;
    case REDIAL_ASKED:
        start_over(redial, facts->now_ms);
        redial->short_lived = 0;
        break;
    case REDIAL_URGED:
        urge(redial, facts);
        break;
    case REDIAL_NETWORK: /* a refusal has nothing to do with the network */
        if (!is_paused(redial))
            start_over(redial, facts->now_ms);
        redial->short_lived = 0;
        break;
    case REDIAL_FAILED:
    case REDIAL_BUSY:
        note_failure(redial, facts, class, false);
        break;
    case REDIAL_UNPROVEN:
        note_failure(redial, facts, class, true);
        break;
    case REDIAL_REFUSED:
        redial->refusals++;
        set_due(redial, facts->now_ms + wait_after(&refused, redial->refusals, facts->random));
        break;
    case REDIAL_DUPLICATE:
        note_duplicate(redial, facts);
        break;
    case REDIAL_OPENED:
        note_opened(redial, facts, class);
        break;
    case REDIAL_LOST:
        note_lost(redial, facts, class);
        break;
    }
}

static void consider(struct redial_plan *plan, const struct redial_facts *facts,
                     enum redial_class class, uint64_t due_ms)
{
    if (due_ms <= facts->now_ms)
        plan->now[class] = true;
    else if (due_ms < plan->at_ms)
        plan->at_ms = due_ms;
}

/* Since when the direct ways have their head start. */
static uint64_t direct_began(const struct redial *redial, const struct redial_facts *facts,
                             const struct redial_plan *plan)
{
    if (facts->round_ms[REDIAL_DIRECT] != 0)
        return facts->round_ms[REDIAL_DIRECT];
    return plan->now[REDIAL_DIRECT] ? facts->now_ms : redial->due_ms[REDIAL_DIRECT];
}

struct redial_plan redial_decide(const struct redial *redial, const struct redial_facts *facts)
{
    struct redial_plan plan = {.at_ms = UINT64_MAX};
    bool tries_direct = facts->ways[REDIAL_DIRECT] > 0 && facts->link != REDIAL_LINKED_DIRECT;
    bool tries_indirect = facts->ways[REDIAL_INDIRECT] > 0 && facts->link == REDIAL_UNLINKED;
    if (!facts->may)
        return plan;
    if (tries_direct && facts->round_ms[REDIAL_DIRECT] == 0)
        consider(&plan, facts, REDIAL_DIRECT, redial->due_ms[REDIAL_DIRECT]);
    if (!tries_indirect || facts->round_ms[REDIAL_INDIRECT] != 0)
        return plan;
    uint64_t due_ms = redial->due_ms[REDIAL_INDIRECT];
    if (tries_direct && redial->failures[REDIAL_DIRECT] == 0 && redial->short_lived == 0) {
        uint64_t after_ms = direct_began(redial, facts, &plan) + HEAD_START_MS;
        due_ms = due_ms > after_ms ? due_ms : after_ms;
    }
    consider(&plan, facts, REDIAL_INDIRECT, due_ms);
    return plan;
}
