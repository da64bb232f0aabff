/* SPDX-License-Identifier: ISC */
/*
 * Tests core/trunk: what a lane carries in a turn, and all the ways in which it ends.
 */
#include "core/trunk.h"

#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/trunk_rig.h"

static struct stream *const connection = &stage.connections[0];

/* A lane of a host with so many streams. */
static void begin(unsigned streams)
{
    trunk_stage_open(SESSION_HOST, 1);
    trunk_stage_lane();
    stage.trunk->channels.count = streams;
    stage.session.records = 0;
    trunk_settle(stage.trunk);
}

/* So much arrives, in frames with these records. */
static bool arrive(size_t size, size_t *budget)
{
    connection->unread += size;
    connection->events->readable(connection->context);
    return trunk_read(stage.trunk, budget);
}

static void arrive_frame(uint8_t type, uint8_t code)
{
    size_t budget = 10 * FRAME_BYTES;
    stage.records[0] = (struct lane_record){.type = type, .code = code, .value = 7};
    stage.record_count = 1;
    arrive(FRAME_BYTES, &budget);
}

static bool write_frames(size_t budget)
{
    struct bytes frame = {0};
    const bool more = trunk_write(stage.trunk, &frame, &budget);
    bytes_deinit(&frame);
    return more;
}

static void assert_lost(const char *why)
{
    assert_true(connection->freed);
    assert_int_equal(connection->written, 0);
    assert_int_equal(stage.detached, 1);
    assert_int_equal(stage.end_code, 0);
    assert_string_equal(stage.trunk->error, why);
    assert_true(stage.trunk->try_at_ms > fake_loop.now_ms);
}

/* --- what it carries -------------------------------------------------------------------------- */

static void test_frames_are_read_as_far_as_the_budget_goes(void **state)
{
    size_t budget = 2 * FRAME_BYTES;
    (void)state;
    begin(1);
    stage.records[0] = (struct lane_record){.type = LANE_DATA};
    stage.records[1] = (struct lane_record){.type = LANE_DATA};
    stage.record_count = 2;
    assert_true(arrive(3 * FRAME_BYTES, &budget));
    assert_int_equal(budget, 0);
    assert_int_equal(connection->unread, FRAME_BYTES);
    assert_int_equal(stage.taken, 4);
    assert_true(trunk_read(stage.trunk, &budget)); /* nothing is left of it */
    assert_int_equal(stage.taken, 4);
    budget = 2 * FRAME_BYTES;
    assert_false(trunk_read(stage.trunk, &budget));
    assert_int_equal(budget, FRAME_BYTES);
    assert_int_equal(stage.rested, 1);
    assert_int_equal(stage.taken, 6);
}

static void test_a_switch_is_the_lanes_own(void **state)
{
    (void)state;
    begin(1);
    arrive_frame(LANE_SWITCH, 0);
    assert_int_equal(stage.switched, 7);
    assert_int_equal(stage.taken, 0);
}

static void test_frames_are_written_as_far_as_the_budget_goes(void **state)
{
    (void)state;
    begin(1);
    stage.frames = 3;
    assert_true(write_frames(2 * FRAME_BYTES));
    assert_int_equal(connection->written, 2 * FRAME_BYTES);
    assert_int_equal(stage.session.noted, 2);
    assert_false(write_frames(2 * FRAME_BYTES));
    assert_int_equal(stage.sealed, 3);
    assert_false(write_frames(FRAME_BYTES));
    assert_int_equal(stage.sealed, 3);
}

static void test_what_the_kernel_does_not_take_is_not_made(void **state)
{
    (void)state;
    begin(1);
    stage.frames = 1;
    connection->unsent = TRUNK_UNSENT_MAX;
    assert_false(write_frames(FRAME_BYTES));
    assert_int_equal(stage.sealed, 0);
    connection->unsent--;
    const unsigned woken = fake_loop.woken;
    connection->events->writable(connection->context);
    assert_int_equal(fake_loop.woken, woken + 1);
    assert_false(write_frames(FRAME_BYTES));
    assert_int_equal(stage.sealed, 1);
}

static void test_a_switch_goes_without_records(void **state)
{
    (void)state;
    begin(1);
    stage.switch_due = true;
    assert_false(write_frames(FRAME_BYTES));
    assert_int_equal(stage.sealed, 1);
    assert_int_equal(connection->written, LANE_FRAME_START);
}

static void test_a_frame_that_can_t_be_made_loses_the_lane(void **state)
{
    (void)state;
    begin(1);
    stage.frames = 1;
    stage.lane_error = -ENOMEM;
    assert_false(write_frames(FRAME_BYTES));
    assert_lost(strerror(ENOMEM));
}

/* --- how it ends ------------------------------------------------------------------------------ */

static void test_streams_wait_for_the_next_session_unless_it_was_the_last(void **state)
{
    (void)state;
    begin(1);
    trunk_session_down(stage.trunk, false);
    assert_true(connection->freed);
    assert_int_equal(stage.detached, 1);
    assert_int_equal(stage.end_code, 0);
    trunk_session_down(stage.trunk, false);
    assert_int_equal(stage.detached, 1); /* they were already */
    trunk_session_down(stage.trunk, true);
    assert_int_equal(stage.end_code, LANE_LOST);
}

static void test_with_the_session_its_offer_and_dial_end(void **state)
{
    const uint8_t secret[SECRET_SIZE] = {0};
    (void)state;
    trunk_stage_open(SESSION_JOINER, 1);
    trunk_stage_hear(RECORD_LANE_OFFER, 4, secret, sizeof secret);
    trunk_settle(stage.trunk);
    assert_non_null(stage.race);
    trunk_session_down(stage.trunk, false);
    assert_null(stage.race);
    assert_false(stage.trunk->offered);
    trunk_session_up(stage.trunk, &stage.link);
    trunk_settle(stage.trunk);
    assert_said(RECORD_LANE_WANT, 0);
}

static void test_a_connection_that_ends_loses_the_lane_after_what_was_sent(void **state)
{
    size_t budget = FRAME_BYTES;
    (void)state;
    begin(1);
    connection->unread = FRAME_BYTES;
    stage.records[0] = (struct lane_record){.type = LANE_DATA};
    stage.record_count = 1;
    connection->events->ended(connection->context, 0);
    assert_true(trunk_read(stage.trunk, &budget));
    assert_int_equal(stage.taken, 1);
    assert_int_equal(stage.detached, 0);
    budget = 1;
    assert_false(trunk_read(stage.trunk, &budget));
    assert_lost("connection closed");
}

static void test_a_connection_that_breaks_loses_the_lane(void **state)
{
    size_t budget = FRAME_BYTES;
    (void)state;
    begin(1);
    connection->events->ended(connection->context, ECONNRESET);
    assert_false(trunk_read(stage.trunk, &budget));
    assert_lost("connection lost");
}

static void test_a_frame_that_was_changed_on_its_way_loses_the_lane(void **state)
{
    (void)state;
    begin(1);
    stage.lane_error = LANE_TAMPERED;
    arrive_frame(LANE_DATA, 0);
    assert_lost("a frame was forged or damaged");
    assert_int_equal(stage.taken, 0);
}

static void test_without_memory_the_lane_is_lost(void **state)
{
    (void)state;
    begin(1);
    stage.take_error = -ENOMEM;
    arrive_frame(LANE_DATA, 0);
    assert_lost(strerror(ENOMEM));
}

static void test_last_words_lose_the_lane(void **state)
{
    (void)state;
    begin(1);
    arrive_frame(LANE_BYE, CLOSE_NORMAL);
    assert_lost("the other side gave it up");
}

static void test_silence_loses_the_lane(void **state)
{
    (void)state;
    begin(1);
    stage.lane_deadline_ms = START_MS + 60000;
    trunk_settle(stage.trunk);
    assert_int_equal(fake_loop_due(), START_MS + 60000);
    assert_true(fake_loop_step(START_MS + 60000));
    assert_lost("the other side went silent");
    assert_int_equal(stage.ticks, 1);
}

/* It broke the rules: the other side is told, and no stream goes on. */
static void assert_broken_off(void)
{
    assert_int_equal(connection->written, LANE_FRAME_START + 1);
    assert_true(connection->finished);
    assert_true(connection->paused);
    assert_false(connection->freed);
    assert_int_equal(stage.sealed, 1);
    assert_int_equal(stage.end_code, LANE_LOST);
    assert_string_equal(stage.trunk->error, "it broke the rules of a lane");
    assert_int_equal(stage.trunk->barred_until_ms, START_MS + TRUNK_BARRED_MS);
}

static void test_who_breaks_the_rules_of_frames_is_barred(void **state)
{
    size_t budget = FRAME_BYTES;
    (void)state;
    begin(1);
    stage.records[0] = (struct lane_record){.type = LANE_DATA};
    stage.record_count = 1;
    stage.take_error = LANE_FAULT;
    assert_false(arrive(FRAME_BYTES, &budget));
    assert_broken_off();
}

static void test_who_says_that_we_broke_the_rules_is_barred(void **state)
{
    (void)state;
    begin(1);
    arrive_frame(LANE_BYE, CLOSE_PROTOCOL_ERROR);
    assert_broken_off();
}

static void test_a_bye_is_not_said_between_two_generations_of_keys(void **state)
{
    (void)state;
    begin(1);
    stage.switch_due = true;
    stage.take_error = LANE_FAULT;
    arrive_frame(LANE_DATA, 0);
    assert_int_equal(connection->written, 0);
    assert_true(connection->finished);
}

static void test_an_idle_lane_is_given_up(void **state)
{
    (void)state;
    begin(0);
    assert_int_equal(fake_loop_due(), START_MS + TRUNK_IDLE_MS);
    assert_true(fake_loop_step(START_MS + TRUNK_IDLE_MS));
    assert_int_equal(connection->written, LANE_FRAME_START + 1);
    assert_true(connection->finished);
    assert_int_equal(stage.end_code, 0);
    assert_int_equal(stage.detached, 1);
    trunk_settle(stage.trunk);
    assert_int_equal(fake_loop_due(), fake_loop.now_ms + TRUNK_LINGER_MS);
    timer_arm_at(stage.trunk->timer, fake_loop_due() - 1);
    const unsigned woken = fake_loop.woken;
    assert_true(fake_loop_step(fake_loop_due()));
    assert_int_equal(fake_loop.woken, woken + 1);
    assert_false(connection->freed); /* its last words may still be on their way */
    trunk_settle(stage.trunk);
    assert_true(fake_loop_step(fake_loop_due()));
    assert_true(connection->freed);
}

static void test_what_there_was_is_known_for_a_while(void **state)
{
    const uint64_t forgotten_ms = START_MS + TRUNK_KEPT_MS;
    (void)state;
    begin(0);
    fake_loop.now_ms = forgotten_ms;
    assert_false(trunk_done(stage.trunk, false)); /* there still is a lane */
    trunk_session_down(stage.trunk, false);
    fake_loop.now_ms = START_MS;
    assert_true(trunk_done(stage.trunk, true));
    trunk_settle(stage.trunk);
    assert_int_equal(fake_loop_due(), forgotten_ms);
    fake_loop.now_ms = forgotten_ms - 1;
    assert_false(trunk_done(stage.trunk, false));
    assert_true(fake_loop_step(forgotten_ms));
    assert_true(trunk_done(stage.trunk, false));
    stage.trunk->channels.count = 1;
    assert_false(trunk_done(stage.trunk, false));
    assert_false(trunk_done(stage.trunk, true));
}

static void test_time_without_streams_begins_when_the_last_one_ends(void **state)
{
    (void)state;
    begin(1);
    trunk_settle(stage.trunk);
    fake_loop.now_ms += TRUNK_IDLE_MS; /* nothing happened meanwhile */
    stage.trunk->channels.count = 0;
    trunk_settle(stage.trunk);
    assert_int_equal(fake_loop_due(), START_MS + 2 * TRUNK_IDLE_MS);
    trunk_settle(stage.trunk);
    fake_loop.now_ms++;
    trunk_settle(stage.trunk);
    assert_int_equal(fake_loop_due(), START_MS + 2 * TRUNK_IDLE_MS);
}

static void test_a_trunk_is_touched_once_in_a_turn(void **state)
{
    (void)state;
    list_remove(&stage.trunk->touched);
    trunk_touch(stage.trunk);
    trunk_touch(stage.trunk);
    assert_ptr_equal(stage.ground.touched.next, &stage.trunk->touched);
    assert_ptr_equal(stage.ground.touched.previous, &stage.trunk->touched);
    list_remove(&stage.trunk->touched);
    trunk_session_up(stage.trunk, &stage.link);
    assert_false(list_empty(&stage.trunk->touched));
    list_remove(&stage.trunk->touched);
    trunk_session_down(stage.trunk, false);
    assert_false(list_empty(&stage.trunk->touched));
}

static void test_a_lane_with_streams_is_not_idle(void **state)
{
    (void)state;
    begin(1);
    assert_int_equal(fake_loop_due(), UINT64_MAX);
    fake_loop.now_ms += TRUNK_IDLE_MS;
    stage.deadline_ms = fake_loop.now_ms;
    trunk_settle(stage.trunk);
    assert_true(fake_loop_step(fake_loop.now_ms));
    assert_int_equal(stage.ticks, 1);
    assert_int_equal(stage.detached, 0);
    stage.trunk->channels.count = 0;
    stage.deadline_ms = UINT64_MAX;
    trunk_settle(stage.trunk);
    assert_int_equal(fake_loop_due(), START_MS + 2 * TRUNK_IDLE_MS);
}

static void test_a_next_lane_begins_anew(void **state)
{
    size_t budget = FRAME_BYTES;
    (void)state;
    begin(1);
    stage.switching = true;
    trunk_rekeyed(stage.trunk);
    connection->events->ended(connection->context, ECONNRESET);
    stage.trunk->channels.count = 1;
    trunk_session_down(stage.trunk, false);
    stage.trunk->backoff.failures = 5;
    stage.trunk->try_at_ms = UINT64_MAX - 1;
    trunk_session_up(stage.trunk, &stage.link);
    assert_int_equal(stage.trunk->backoff.failures, 0);
    trunk_settle(stage.trunk);
    assert_true(trunk_stage_attach((uint8_t)stage.offers, &stage.connections[1]));
    stage.switching = false;
    trunk_settle(stage.trunk);
    assert_int_equal(stage.key, 0); /* the other lane's */
    stage.connections[1].unread = FRAME_BYTES;
    assert_false(trunk_read(stage.trunk, &budget)); /* nobody said that there is something */
    assert_int_equal(budget, FRAME_BYTES);
    assert_false(stage.connections[1].freed);
}

static void test_what_is_left_goes_with_the_trunk(void **state)
{
    (void)state;
    begin(0);
    fake_loop_step(START_MS + TRUNK_IDLE_MS);
    stage.trunk->channels.count = 1;
    trunk_settle(stage.trunk);
    assert_true(trunk_stage_attach((uint8_t)stage.offers, &stage.connections[1]));
    trunk_free(stage.trunk);
    assert_true(stage.connections[0].freed);
    assert_true(stage.connections[1].freed);
    assert_int_equal(fake_loop_due(), UINT64_MAX);
    const struct channels_parts parts = {0};
    assert_int_equal(trunk_new(&stage.trunk, &stage.ground, 8, 0, &parts), 0);
    assert_int_equal(stage.trunk->peer, 8);
    assert_ptr_equal(stage.trunk->channels.context, stage.trunk);
    const uint8_t secret[SECRET_SIZE] = {0};
    trunk_stage_open(SESSION_JOINER, 1);
    trunk_stage_hear(RECORD_LANE_OFFER, 4, secret, sizeof secret);
    trunk_settle(stage.trunk);
    assert_non_null(stage.race);
    trunk_free(stage.trunk);
    assert_null(stage.race);
    assert_int_equal(trunk_new(&stage.trunk, &stage.ground, 8, 0, &parts), 0);
}

/* --- before the first frame ------------------------------------------------------------------- */

static void join(void)
{
    const uint8_t secret[SECRET_SIZE] = {0};
    trunk_stage_open(SESSION_JOINER, 1);
    trunk_stage_hear(RECORD_LANE_OFFER, 4, secret, sizeof secret);
    trunk_settle(stage.trunk);
    stage.race->connected(stage.trunk, 0, connection);
}

static void test_a_joiner_says_that_nothing_came(void **state)
{
    size_t budget = FRAME_BYTES;
    (void)state;
    join();
    connection->events->ended(connection->context, 0);
    trunk_read(stage.trunk, &budget);
    assert_said(RECORD_LANE_FAILED, 4);
    assert_int_equal(stage.session.said.bytes[stage.session.said.size - 1], LANE_CLOSED_EARLY);
}

static void test_after_a_frame_there_is_nothing_to_say(void **state)
{
    (void)state;
    join();
    arrive_frame(LANE_BYE, CLOSE_NORMAL);
    assert_int_equal(stage.session.records, 0);
    assert_true(connection->freed);
}

static void test_a_host_has_nothing_to_say_of_it(void **state)
{
    size_t budget = FRAME_BYTES;
    (void)state;
    begin(1);
    connection->events->ended(connection->context, 0);
    trunk_read(stage.trunk, &budget);
    assert_int_equal(stage.session.records, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, trunk_stage_set_up, trunk_stage_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_frames_are_read_as_far_as_the_budget_goes),
        TEST(test_a_switch_is_the_lanes_own),
        TEST(test_frames_are_written_as_far_as_the_budget_goes),
        TEST(test_what_the_kernel_does_not_take_is_not_made),
        TEST(test_a_switch_goes_without_records),
        TEST(test_a_frame_that_can_t_be_made_loses_the_lane),
        TEST(test_streams_wait_for_the_next_session_unless_it_was_the_last),
        TEST(test_with_the_session_its_offer_and_dial_end),
        TEST(test_a_connection_that_ends_loses_the_lane_after_what_was_sent),
        TEST(test_a_connection_that_breaks_loses_the_lane),
        TEST(test_a_frame_that_was_changed_on_its_way_loses_the_lane),
        TEST(test_without_memory_the_lane_is_lost),
        TEST(test_last_words_lose_the_lane),
        TEST(test_silence_loses_the_lane),
        TEST(test_who_breaks_the_rules_of_frames_is_barred),
        TEST(test_who_says_that_we_broke_the_rules_is_barred),
        TEST(test_a_bye_is_not_said_between_two_generations_of_keys),
        TEST(test_an_idle_lane_is_given_up),
        TEST(test_what_there_was_is_known_for_a_while),
        TEST(test_time_without_streams_begins_when_the_last_one_ends),
        TEST(test_a_trunk_is_touched_once_in_a_turn),
        TEST(test_a_lane_with_streams_is_not_idle),
        TEST(test_a_next_lane_begins_anew),
        TEST(test_what_is_left_goes_with_the_trunk),
        TEST(test_a_joiner_says_that_nothing_came),
        TEST(test_after_a_frame_there_is_nothing_to_say),
        TEST(test_a_host_has_nothing_to_say_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
