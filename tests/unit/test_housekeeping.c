/* SPDX-License-Identifier: ISC */
/*
 * Housekeeping by a clock that is wrong at first: what is stored is as old as it is, not as it was
 * dated.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/housekeeping.h"
#include "store/invites.h"
#include "store/messages.h"
#include "store/redate.h"
#include "unit/fake_loop.h"
#include "unit/scratch_db.h"

#define MINUTE_MS UINT64_C(60000)
#define DAY_MS    (24 * 60 * MINUTE_MS)
#define START_MS  UINT64_C(1795374000000) /* 2026-11-22T19:00:00Z, which is right */

/* --- stand-ins -------------------------------------------------------------------------------- */

static struct {
    struct scratch *scratch;
    struct runtime runtime;
    struct housekeeping housekeeping;
} stage;

void runtime_fail(struct runtime *runtime, int error)
{
    (void)runtime;
    fail_msg("the store failed: %d", error);
}

void links_renew_declined(struct links *links)
{
    (void)links;
}

/* --- a machine -------------------------------------------------------------------------------- */

static void end_turn(void)
{
    housekeeping_watch(&stage.housekeeping);
    scratch_commit(stage.scratch);
    housekeeping_committed(&stage.housekeeping);
}

/* Lets time go by, with all that the timers do meanwhile. */
static void pass(uint64_t ms)
{
    const uint64_t end_ms = fake_loop.now_ms + ms;
    while (fake_loop_step(end_ms))
        end_turn();
    end_turn();
}

static void set_clock(int64_t error_ms)
{
    fake_loop.wall_lead_ms = START_MS + (uint64_t)error_ms;
}

static void start(int64_t error_ms)
{
    fake_loop_start(fake_loop.now_ms, START_MS + (uint64_t)error_ms);
    stage.runtime = (struct runtime){
        .db = stage.scratch->db,
        .settings = {.retention_ms = 30 * DAY_MS, .expire_ms = 7 * DAY_MS},
    };
    assert_int_equal(housekeeping_init(&stage.housekeeping, &stage.runtime, NULL, NULL), 0);
    housekeeping_start(&stage.housekeeping);
}

static void restart(int64_t error_ms)
{
    scratch_reopen(stage.scratch);
    start(error_ms);
}

static int64_t add(enum message_direction direction, unsigned n)
{
    struct message_row row = scratch_message(1, direction, n);
    row.time_ms = row.sent_ms = loop_wall(NULL);
    row.expires_ms = direction == MESSAGE_OUT ? row.time_ms + stage.runtime.settings.expire_ms : 0;
    assert_int_equal(messages_add(stage.scratch->db, &row), 0);
    housekeeping_touch(&stage.housekeeping, row.expires_ms);
    end_turn();
    return row.seq;
}

static int take_row(void *context, const struct message_row *row)
{
    *(struct message_row *)context = *row;
    return 0;
}

static struct message_row get(int64_t seq)
{
    struct message_row row = {.seq = 0};
    assert_int_equal(messages_at(stage.scratch->db, seq, take_row, &row), 0);
    return row;
}

static void assert_about(uint64_t time_ms, uint64_t expected_ms)
{
    assert_in_range(time_ms, expected_ms - MINUTE_MS, expected_ms);
}

/* --- tests ------------------------------------------------------------------------------------ */

/* Accepted, received and delivered by a clock that is off by so much; then it is set right. */
static void live_through_a_correction(int64_t error_ms)
{
    restart(error_ms);
    const int64_t waits = add(MESSAGE_OUT, 1);
    const int64_t came = add(MESSAGE_IN, 2);
    const int64_t went = add(MESSAGE_OUT, 3);
    assert_int_equal(
        queue_set_state(stage.scratch->db, went, MESSAGE_DELIVERED, NULL, loop_wall(NULL)), 0);
    pass(20 * MINUTE_MS);
    set_clock(0);
    const int64_t later = add(MESSAGE_OUT, 4); /* in the turn that finds it out */
    pass(10 * MINUTE_MS + 1000);
    assert_int_equal(scratch_stored(stage.scratch), 4);
    assert_int_equal(get(waits).state, MESSAGE_QUEUED);
    assert_about(get(came).time_ms, START_MS);
    assert_about(get(waits).expires_ms, START_MS + 7 * DAY_MS);
    assert_int_equal(get(later).time_ms, START_MS + 20 * MINUTE_MS);
    restart(0); /* on disk as in memory */
    assert_about(get(waits).expires_ms, START_MS + 7 * DAY_MS);
    pass(6 * DAY_MS);
    assert_int_equal(get(waits).state, MESSAGE_QUEUED);
    pass(1 * DAY_MS);
    assert_int_equal(get(waits).state, MESSAGE_EXPIRED);
    pass(22 * DAY_MS);
    assert_int_equal(scratch_stored(stage.scratch), 4);
    pass(2 * DAY_MS);
    assert_int_equal(scratch_stored(stage.scratch), 0);
}

static void test_a_clock_that_was_behind(void **state)
{
    (void)state;
    live_through_a_correction(-(int64_t)(40 * DAY_MS));
}

static void test_a_clock_that_was_ahead(void **state)
{
    (void)state;
    live_through_a_correction((int64_t)(40 * DAY_MS));
}

static void test_a_clock_that_began_in_1970(void **state)
{
    (void)state;
    live_through_a_correction(-(int64_t)START_MS + 1000);
}

static void test_many_steps_add_up(void **state)
{
    (void)state;
    restart(0);
    const int64_t first = add(MESSAGE_IN, 1);
    set_clock(-(int64_t)(40 * DAY_MS));
    const int64_t second = add(MESSAGE_IN, 2);
    assert_about(get(first).time_ms, START_MS - 40 * DAY_MS);
    assert_int_equal(get(second).time_ms, START_MS - 40 * DAY_MS);
    set_clock((int64_t)(3 * DAY_MS));
    pass(1000);
    set_clock(0);
    pass(1000);
    assert_in_range(get(first).time_ms, START_MS - 3 * MINUTE_MS, START_MS);
    assert_in_range(get(second).time_ms, START_MS - 2 * MINUTE_MS, START_MS);
}

/* As when a client is served after the commit of its turn. */
static void test_what_came_after_the_commit_moves_too(void **state)
{
    (void)state;
    struct message_row rows[2];
    restart(-(int64_t)(40 * DAY_MS));
    add(MESSAGE_IN, 1);
    for (unsigned i = 0; i < 2; i++) {
        rows[i] = scratch_message(1, MESSAGE_IN, 2 + i);
        rows[i].time_ms = rows[i].sent_ms = loop_wall(NULL);
        assert_int_equal(messages_add(stage.scratch->db, &rows[i]), 0);
        if (i == 0) { /* before the next turn the clock is set */
            redate_turn_over(stage.scratch->db);
            set_clock(0);
        }
    }
    end_turn();
    assert_about(get(rows[0].seq).time_ms, START_MS);
    assert_int_equal(get(rows[1].seq).time_ms, START_MS);
}

/* What the life before has dated by a right clock stays as it is. */
static void test_only_what_came_since_the_start_moves(void **state)
{
    (void)state;
    restart(0);
    const int64_t before = add(MESSAGE_IN, 1);
    restart(-(int64_t)(40 * DAY_MS));
    add(MESSAGE_IN, 2);
    set_clock(0);
    pass(1000);
    assert_int_equal(get(before).time_ms, START_MS);
    set_clock(5 * (int64_t)MINUTE_MS); /* too little to be a step */
    pass(1000);
    assert_int_equal(get(before).time_ms, START_MS);
}

static void test_what_is_looked_for_by_its_time_is_found(void **state)
{
    (void)state;
    restart(-(int64_t)(40 * DAY_MS));
    add(MESSAGE_IN, 1);
    pass(3 * MINUTE_MS);
    const int64_t second = add(MESSAGE_IN, 2);
    pass(3 * MINUTE_MS);
    const int64_t third = add(MESSAGE_IN, 3);
    set_clock(0);
    pass(1000);
    int64_t after;
    assert_int_equal(events_since(stage.scratch->db, START_MS + 2 * MINUTE_MS, &after), 0);
    assert_int_equal(after, second - 1);
    assert_int_equal(events_since(stage.scratch->db, START_MS - DAY_MS, &after), 0);
    assert_int_equal(after, 0);
    assert_int_equal(events_since(stage.scratch->db, START_MS + DAY_MS, &after), 0);
    assert_int_equal(after, third);
}

static void test_an_invite_lasts_as_long_as_it_was_given_for(void **state)
{
    (void)state;
    restart(-(int64_t)(40 * DAY_MS));
    const struct invite_row row = {.id = {1},
                                   .sealed = {2},
                                   .created_ms = loop_wall(NULL),
                                   .expires_ms = loop_wall(NULL) + DAY_MS};
    assert_int_equal(invites_add(stage.scratch->db, &row), 0);
    set_clock(0);
    pass(MINUTE_MS);
    assert_int_equal(invites_expire(stage.scratch->db, loop_wall(NULL)), 0);
    struct invite_row found;
    assert_int_equal(invites_get(stage.scratch->db, row.id, &found), 0);
    assert_about(found.expires_ms, START_MS + DAY_MS);
}

static int set_up(void **state)
{
    int r = scratch_set_up(state);
    stage.scratch = *state;
    fake_loop_start(0, START_MS);
    scratch_peer(stage.scratch, "alice");
    scratch_commit(stage.scratch);
    return r;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_clock_that_was_behind),
        TEST(test_a_clock_that_was_ahead),
        TEST(test_a_clock_that_began_in_1970),
        TEST(test_many_steps_add_up),
        TEST(test_what_came_after_the_commit_moves_too),
        TEST(test_only_what_came_since_the_start_moves),
        TEST(test_what_is_looked_for_by_its_time_is_found),
        TEST(test_an_invite_lasts_as_long_as_it_was_given_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
