/* SPDX-License-Identifier: ISC */
/*
 * Tests core/redial: what was noted, with time passing, and the decision that comes of it.
 */
#include "core/redial.h"

#include "unit/cmocka_all.h"

#define I     REDIAL_INDIRECT
#define D     REDIAL_DIRECT
#define NEVER UINT64_MAX
#define BASE  .may = true, .ways = {[I] = 1, [D] = 8}

enum { STEPS_MAX = 6 };

struct step {
    uint64_t at_ms;
    enum redial_event event;
    enum redial_class class;
};

/* The facts are those of the decision; each step has them too, at its own time. */
struct row {
    const char *name;
    struct redial_facts facts;
    struct step steps[STEPS_MAX];
    struct redial_plan plan;
};

/* clang-format off */
static const struct row rows[] = {
    {"a new peer is dialled at once, indirectly 2 s later",
     {BASE, .now_ms = 1000}, {{1000, REDIAL_START, D}}, {{[D] = true}, 3000}},
    {"the side with the larger fingerprint waits a moment",
     {BASE, .now_ms = 1000, .yields = true, .random = 499}, {{1000, REDIAL_START, D}}, {.at_ms = 1499}},
    {"but not with a queue",
     {BASE, .now_ms = 1000, .yields = true, .random = 499, .has_queue = true},
     {{1000, REDIAL_START, D}}, {{[D] = true}, 3000}},
    {"no direct way: indirectly at once",
     {.may = true, .ways = {[I] = 1}, .now_ms = 1000}, {{1000, REDIAL_START, D}}, {{[I] = true}, NEVER}},
    {"no way at all: it waits to be called",
     {.may = true, .now_ms = 1000}, {{1000, REDIAL_START, D}}, {.at_ms = NEVER}},
    {"silenced: nothing",
     {.ways = {1, 8}, .now_ms = 1000}, {{1000, REDIAL_START, D}}, {.at_ms = NEVER}},
    {"the direct round has gone on for 1 s: no second one",
     {BASE, .now_ms = 2000, .round_ms = {[D] = 1000}}, {{1000, REDIAL_START, D}}, {.at_ms = 3000}},
    {"the direct round has gone on for 2 s: indirectly too",
     {BASE, .now_ms = 3000, .round_ms = {[D] = 1000}}, {{1000, REDIAL_START, D}}, {{[I] = true}, NEVER}},
    {"both rounds go on",
     {BASE, .now_ms = 3000, .round_ms = {1000, 1000}}, {{1000, REDIAL_START, D}}, {.at_ms = NEVER}},
    {"direct failed once: indirectly at once, direct again in 0.8 to 1.2 s",
     {BASE, .now_ms = 5000}, {{1000, REDIAL_START, D}, {5000, REDIAL_FAILED, D}}, {{[I] = true}, 5800}},
    {"indirect now: direct at once, if it never failed",
     {BASE, .now_ms = 5000, .link = REDIAL_LINKED_INDIRECT},
     {{1000, REDIAL_START, D}, {5000, REDIAL_OPENED, I}}, {{[D] = true}, NEVER}},
    {"indirect now, direct failed before: 24 s (30 s less 20 %)",
     {BASE, .now_ms = 5000, .link = REDIAL_LINKED_INDIRECT},
     {{1000, REDIAL_START, D}, {3000, REDIAL_FAILED, D}, {5000, REDIAL_OPENED, I}}, {.at_ms = 29000}},
    {"indirect and failing again: doubled",
     {BASE, .now_ms = 29000, .link = REDIAL_LINKED_INDIRECT},
     {{3000, REDIAL_FAILED, D}, {5000, REDIAL_OPENED, I}, {29000, REDIAL_FAILED, D}}, {.at_ms = 77000}},
    {"direct: nothing to do",
     {BASE, .now_ms = 6000, .link = REDIAL_LINKED_DIRECT},
     {{1000, REDIAL_START, D}, {2000, REDIAL_OPENED, D}}, {.at_ms = NEVER}},
    {"lost: at once, indirectly 2 s later",
     {BASE, .now_ms = 900000, .link_ms = 2000},
     {{1000, REDIAL_START, D}, {2000, REDIAL_OPENED, D}, {900000, REDIAL_LOST, D}}, {{[D] = true}, 902000}},
    {"lost after 10 s: indirectly at once too",
     {BASE, .now_ms = 12000, .link_ms = 2000},
     {{1000, REDIAL_START, D}, {2000, REDIAL_OPENED, D}, {12000, REDIAL_LOST, D}}, {{true, true}, NEVER}},
    {"lost after 10 s once more: not at once",
     {.may = true, .ways = {[D] = 1}, .now_ms = 12000, .link_ms = 900},
     {{1000, REDIAL_LOST, D}, {2000, REDIAL_OPENED, D}, {12000, REDIAL_LOST, D}}, {.at_ms = 12800}},
    {"indirect after a short direct life: direct again in 2 min less 20 %",
     {BASE, .now_ms = 13000, .link = REDIAL_LINKED_INDIRECT, .link_ms = 2000},
     {{1000, REDIAL_START, D}, {2000, REDIAL_OPENED, D}, {12000, REDIAL_LOST, D}, {13000, REDIAL_OPENED, I}},
     {.at_ms = 13000 + 96000}},
    {"refused: 48 s (60 s less 20 %), both classes",
     {BASE, .now_ms = 5000}, {{1000, REDIAL_START, D}, {5000, REDIAL_REFUSED, D}}, {.at_ms = 53000}},
    {"the network changes: at once",
     {BASE, .now_ms = 9000},
     {{1000, REDIAL_START, D}, {5000, REDIAL_FAILED, D}, {5100, REDIAL_FAILED, I}, {9000, REDIAL_NETWORK, D}},
     {{[D] = true}, 11000}},
    {"refused, then the network changes: it goes on waiting",
     {BASE, .now_ms = 9000},
     {{1000, REDIAL_START, D}, {5000, REDIAL_REFUSED, D}, {9000, REDIAL_NETWORK, D}}, {.at_ms = 53000}},
    {"refused, then people ask: at once",
     {BASE, .now_ms = 9000},
     {{1000, REDIAL_START, D}, {5000, REDIAL_REFUSED, D}, {9000, REDIAL_ASKED, D}}, {{[D] = true}, 11000}},
    {"refused, then something is queued: it goes on waiting",
     {BASE, .now_ms = 9000},
     {{1000, REDIAL_START, D}, {5000, REDIAL_REFUSED, D}, {9000, REDIAL_URGED, D}}, {.at_ms = 53000}},
    {"five times nobody proved the key: 10 minutes",
     {.may = true, .ways = {[D] = 1}, .now_ms = 9000, .has_queue = true},
     {{5000, REDIAL_UNPROVEN, D}, {6000, REDIAL_UNPROVEN, D}, {7000, REDIAL_UNPROVEN, D},
      {8000, REDIAL_UNPROVEN, D}, {9000, REDIAL_UNPROVEN, D}}, {.at_ms = 609000}},
    {"four times and one of another kind: as ever",
     {.may = true, .ways = {[D] = 1}, .now_ms = 9000, .has_queue = true},
     {{5000, REDIAL_UNPROVEN, D}, {6000, REDIAL_UNPROVEN, D}, {7000, REDIAL_UNPROVEN, D},
      {8000, REDIAL_UNPROVEN, D}, {9000, REDIAL_FAILED, D}}, {.at_ms = 17000}},
    {"a duplicate: 5 s",
     {BASE, .now_ms = 5000}, {{1000, REDIAL_START, D}, {5000, REDIAL_DUPLICATE, D}}, {.at_ms = 10000}},
    {"a duplicate of one with our key: 10 min, whatever is queued or changes",
     {BASE, .now_ms = 7000, .cloned = true, .has_queue = true},
     {{1000, REDIAL_START, D}, {5000, REDIAL_DUPLICATE, D}, {6000, REDIAL_URGED, D}, {7000, REDIAL_NETWORK, D}},
     {.at_ms = 605000}},
    {"but people may ask",
     {BASE, .now_ms = 6000, .cloned = true}, {{5000, REDIAL_DUPLICATE, D}, {6000, REDIAL_ASKED, D}},
     {{[D] = true}, 8000}},
    {"and a link ends it: then it is as ever",
     {BASE, .now_ms = 900000, .cloned = true, .link_ms = 9000},
     {{5000, REDIAL_DUPLICATE, D}, {9000, REDIAL_OPENED, D}, {900000, REDIAL_LOST, D}}, {{[D] = true}, 902000}},
    {"no queue, never online: doubling",
     {.may = true, .ways = {[D] = 8}, .now_ms = 9000},
     {{1000, REDIAL_START, D}, {2000, REDIAL_FAILED, D}, {4000, REDIAL_FAILED, D}, {9000, REDIAL_BUSY, D}},
     {.at_ms = 9000 + 3200}},
    {"a long wait is cut short by something queued",
     {.may = true, .ways = {[D] = 8}, .now_ms = 40000},
     {{1000, REDIAL_FAILED, D}, {2000, REDIAL_FAILED, D}, {3000, REDIAL_FAILED, D}, {4000, REDIAL_FAILED, D},
      {39000, REDIAL_FAILED, D}, {40000, REDIAL_URGED, D}}, {{[D] = true}, NEVER}},
    {"a short wait is not",
     {.may = true, .ways = {[D] = 8}, .now_ms = 4100},
     {{1000, REDIAL_FAILED, D}, {2000, REDIAL_FAILED, D}, {4000, REDIAL_FAILED, D}, {4100, REDIAL_URGED, D}},
     {.at_ms = 7200}},
    {"with a queue: never more than 10 s",
     {.may = true, .ways = {[D] = 8}, .now_ms = 6000, .has_queue = true},
     {{1000, REDIAL_FAILED, D}, {2000, REDIAL_FAILED, D}, {3000, REDIAL_FAILED, D}, {4000, REDIAL_FAILED, D},
      {5000, REDIAL_FAILED, D}, {6000, REDIAL_FAILED, D}}, {.at_ms = 14000}},
};
/* clang-format on */

static void remember(struct redial *redial, const struct row *row)
{
    for (unsigned i = 0; i < STEPS_MAX && row->steps[i].at_ms != 0; i++) {
        struct redial_facts then = row->facts;
        then.now_ms = row->steps[i].at_ms;
        redial_note(redial, &then, row->steps[i].event, row->steps[i].class);
    }
}

static void test_every_row_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct redial redial = {0};
        remember(&redial, row);
        struct redial_plan plan = redial_decide(&redial, &row->facts);
        if (plan.now[D] != row->plan.now[D] || plan.now[I] != row->plan.now[I] ||
            plan.at_ms != row->plan.at_ms)
            fail_msg("%s: direct %d, indirect %d, at %llu", row->name, plan.now[D], plan.now[I],
                     (unsigned long long)plan.at_ms);
    }
}

/* --- whatever happens ------------------------------------------------------------------------- */

enum { EVENTS = REDIAL_LOST + 1, CASES = EVENTS * EVENTS * REDIAL_CLASSES * REDIAL_CLASSES };

static void check_plan(const struct redial *redial, struct redial_facts facts)
{
    for (unsigned link = 0; link <= REDIAL_LINKED_DIRECT; link++)
        for (unsigned rounds = 0; rounds < 4; rounds++) {
            facts.link = link;
            facts.round_ms[I] = rounds & 1 ? 900 : 0;
            facts.round_ms[D] = rounds & 2 ? 900 : 0;
            struct redial_plan plan = redial_decide(redial, &facts);
            assert_false(plan.now[I] && (facts.round_ms[I] != 0 || link != REDIAL_UNLINKED));
            assert_false(plan.now[D] && (facts.round_ms[D] != 0 || link == REDIAL_LINKED_DIRECT));
            assert_true(plan.at_ms > facts.now_ms);
            /* Nothing is forgotten: without a link and a round, it dials some time. */
            if (link == REDIAL_UNLINKED && rounds == 0)
                assert_true(plan.now[I] || plan.now[D] || plan.at_ms < facts.now_ms + 1000000);
        }
}

static void test_no_two_events_lead_to_two_rounds_or_to_none(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CASES; i++) {
        struct redial redial = {0};
        struct redial_facts facts = {BASE, .now_ms = 1000, .random = i * 2654435761U};
        redial_note(&redial, &facts, i % EVENTS, i / EVENTS / EVENTS % REDIAL_CLASSES);
        check_plan(&redial, facts);
        facts.now_ms = 3000;
        redial_note(&redial, &facts, i / EVENTS % EVENTS,
                    i / EVENTS / EVENTS / REDIAL_CLASSES % REDIAL_CLASSES);
        check_plan(&redial, facts);
    }
}

static void test_after_a_failure_nothing_is_due_before_a_wait(void **state)
{
    static const enum redial_event failures[] = {REDIAL_FAILED, REDIAL_REFUSED, REDIAL_UNPROVEN,
                                                 REDIAL_BUSY, REDIAL_DUPLICATE};
    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        struct redial redial = {0};
        struct redial_facts facts = {.may = true, .ways = {[D] = 1}, .now_ms = 1000};
        for (unsigned round = 0; round < 100; round++) {
            redial_note(&redial, &facts, failures[i], D);
            struct redial_plan plan = redial_decide(&redial, &facts);
            assert_false(plan.now[D]);
            assert_in_range(plan.at_ms, facts.now_ms + 800, facts.now_ms + 720 * 1000);
            facts.now_ms = plan.at_ms;
            facts.random = facts.random * 1664525 + 1013904223;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_of_the_table),
        cmocka_unit_test(test_no_two_events_lead_to_two_rounds_or_to_none),
        cmocka_unit_test(test_after_a_failure_nothing_is_due_before_a_wait),
    };
    return cmocka_run_group_tests_name("redial", tests, NULL, NULL);
}
