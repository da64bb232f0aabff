/* SPDX-License-Identifier: ISC */
/*
 * What may be a lot of messages ends or is handed over in steps of a bounded size, each of which
 * may be the last before a crash.
 */
#include <string.h>

#include "store/handover.h"
#include "store/sql.h"
#include "unit/cmocka_all.h"
#include "unit/scratch_db.h"

enum { IN_FLIGHT = 250, WAITING = 260, ALL = IN_FLIGHT + WAITING, NOW_MS = 5000000 };

/* A queue of which the first messages are in flight, and one of the others is a stray. */
static void fill(struct scratch *scratch, int64_t peer)
{
    struct uuid previous = {{0}};
    for (unsigned n = 1; n <= ALL; n++)
        scratch_add(scratch, peer, MESSAGE_OUT, n);
    for (unsigned n = 1; n <= IN_FLIGHT; n++) {
        assert_int_equal(queue_set_transmitted(scratch->db, n, &previous, NOW_MS), 0);
        previous = scratch_id(n);
    }
    assert_int_equal(queue_set_state(scratch->db, ALL - 1, MESSAGE_SENT, "given back", NOW_MS), 0);
    assert_int_equal(queue_set_state(scratch->db, ALL - 1, MESSAGE_QUEUED, NULL, NOW_MS), 0);
    scratch_commit(scratch);
}

static uint64_t queued(struct scratch *scratch, int64_t peer)
{
    struct messages_size size;
    assert_int_equal(queue_size(scratch->db, peer, &size), 0);
    return size.messages;
}

/* As after a power cut: what was committed is there, and nothing else. */
static void crash(struct scratch *scratch)
{
    scratch_commit(scratch);
    scratch_reopen(scratch);
}

/* How often each state was told of. */
struct told {
    unsigned unknown, cancelled;
};

static int count_told(void *context, const struct event_row *event)
{
    struct told *told = context;
    if (event->type == EVENT_MESSAGE_STATE) {
        told->unknown += event->state == MESSAGE_UNKNOWN;
        told->cancelled += event->state == MESSAGE_CANCELLED;
    }
    return 0;
}

static void test_a_queue_ends_in_steps(void **state)
{
    struct scratch *scratch = *state;
    const int64_t alice = scratch_peer(scratch, "alice").id;
    struct told told = {0};
    unsigned steps = 0;
    fill(scratch, alice);
    const unsigned transmitted = IN_FLIGHT;
    for (bool more = true; more; steps++) {
        const uint64_t before = queued(scratch, alice);
        assert_int_equal(queue_end(scratch->db, alice, "over", NOW_MS, &more), 0);
        assert_true(before - queued(scratch, alice) <= QUEUE_END_STEP);
        assert_true(queued(scratch, alice) < before);
        crash(scratch);
    }
    assert_int_equal(steps, (ALL + QUEUE_END_STEP - 1) / QUEUE_END_STEP);
    assert_int_equal(queued(scratch, alice), 0);
    assert_int_equal(events_each(scratch->db, 0, count_told, &told), 0);
    assert_in_range(told.unknown, transmitted, transmitted + 1);
    assert_int_equal(told.unknown + told.cancelled, ALL);
}

static int count_work(void *context)
{
    ++*(uint64_t *)context;
    return 0;
}

/* What is over is not looked at again, also not after a restart. */
static void test_the_last_step_costs_no_more_than_the_first(void **state)
{
    enum { LONG = 100 * QUEUE_END_STEP };
    struct scratch *scratch = *state;
    const int64_t alice = scratch_peer(scratch, "alice").id;
    uint64_t first = 0, work = 0;
    for (unsigned n = 1; n <= LONG; n++)
        scratch_add(scratch, alice, MESSAGE_OUT, n);
    scratch_commit(scratch);
    for (bool more = true; more;) {
        work = 0;
        sqlite3_progress_handler(scratch->db->sqlite, 10, count_work, &work);
        assert_int_equal(queue_end(scratch->db, alice, "over", NOW_MS, &more), 0);
        if (first == 0)
            first = work;
        if (queued(scratch, alice) % (LONG / 4) == 0)
            crash(scratch);
    }
    assert_true(work <= first * 3 / 2);
}

static int count_resealed(void *context, const struct message_row *row, struct bytes *body)
{
    ++*(unsigned *)context;
    return bytes_append(body, row->body.data, row->body.size);
}

static int note_seq(void *context, const struct message_row *row)
{
    int64_t *last = context;
    assert_true(row->seq > *last);
    *last = row->seq;
    return 0;
}

static void test_messages_are_handed_over_in_steps(void **state)
{
    struct scratch *scratch = *state;
    const int64_t alice = scratch_peer(scratch, "alice").id;
    const int64_t bob = scratch_peer(scratch, "bob").id;
    struct messages_size stored;
    unsigned all = 0;
    int64_t last = 0;
    fill(scratch, alice);
    for (bool more = true; more;) {
        struct handover handover = {.from = alice, .to = bob}; /* begun anew each time */
        unsigned resealed = 0;
        assert_int_equal(handover_step(scratch->db, &handover, count_resealed, &resealed, &more),
                         0);
        assert_true(resealed <= HANDOVER_STEP);
        all += resealed;
        assert_int_equal(queued(scratch, alice) + queued(scratch, bob), ALL);
        crash(scratch);
        assert_int_equal(queued(scratch, alice) + queued(scratch, bob), ALL);
        if (resealed == 0)
            break;
    }
    assert_int_equal(all, ALL);
    assert_int_equal(queued(scratch, bob), ALL);
    assert_int_equal(messages_count(scratch->db, &stored), 0);
    assert_int_equal(stored.messages, ALL);
    assert_int_equal(queue_each(scratch->db, bob, 0, ALL, note_seq, &last), 0);
    assert_int_equal(last, ALL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_a_queue_ends_in_steps),
        TEST(test_the_last_step_costs_no_more_than_the_first),
        TEST(test_messages_are_handed_over_in_steps),
    };
    return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
