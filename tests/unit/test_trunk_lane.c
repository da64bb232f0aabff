/* SPDX-License-Identifier: ISC */
/*
 * Tests core/trunk_lane: who asks for a lane, who offers one, when it is dialled, and what becomes
 * of an offer that nobody takes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/trunk_state.h"
#include "unit/cmocka_all.h"
#include "unit/trunk_rig.h"

static void hear_offer(uint8_t id)
{
    const uint8_t secret[SECRET_SIZE] = {'s'};
    trunk_stage_hear(RECORD_LANE_OFFER, id, secret, sizeof secret);
}

static void hear_failed(uint8_t id, uint8_t reason)
{
    trunk_stage_hear(RECORD_LANE_FAILED, id, &reason, 1);
}

static void hear_key(uint8_t id, uint32_t generation)
{
    uint8_t rest[4 + SECRET_SIZE];
    memset(rest, 0, sizeof rest);
    put_u32(rest, generation);
    trunk_stage_hear(RECORD_LANE_KEY, id, rest, sizeof rest);
}

/* The latest LANE_FAILED says why. */
static void assert_failed_for(enum lane_failed_reason reason, uint8_t id)
{
    assert_said(RECORD_LANE_FAILED, id);
    assert_int_equal(stage.session.said.bytes[stage.session.said.size - 1], reason);
}

static void assert_wait_of_about(uint64_t ms)
{
    const uint64_t wait_ms = stage.trunk->try_at_ms - fake_loop.now_ms;
    assert_in_range(wait_ms, ms - ms / 5, ms + ms / 5);
}

/* --- the host --------------------------------------------------------------------------------- */

static void test_a_host_with_streams_offers_one_lane(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_HOST, 1);
    trunk_settle(stage.trunk);
    assert_said(RECORD_LANE_OFFER, 1);
    assert_int_equal(stage.session.said.size, RECORD_HEADER_SIZE + LANE_OFFER_SIZE);
    assert_int_equal(stage.session.said.bytes[RECORD_HEADER_SIZE + 1 + LANE_ID_SIZE], 's');
    assert_true(stage.link.dirty);
    assert_int_equal(fake_loop_due(), START_MS + TRUNK_OFFER_MS);
    trunk_settle(stage.trunk);
    assert_int_equal(stage.session.records, 1);
    assert_int_equal(stage.reaped, 2);
}

static void test_without_streams_or_a_session_nothing_is_said(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_HOST, 0);
    trunk_settle(stage.trunk);
    stage.trunk->link = NULL;
    stage.trunk->channels.count = 1;
    trunk_settle(stage.trunk);
    assert_int_equal(stage.session.records, 0);
    assert_int_equal(fake_loop_due(), UINT64_MAX);
}

static void test_who_asks_is_offered_one(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_HOST, 0);
    trunk_stage_hear(RECORD_LANE_WANT, 0, NULL, 0);
    assert_said(RECORD_LANE_OFFER, 1);
    trunk_stage_hear(RECORD_LANE_WANT, 0, NULL, 0);
    assert_int_equal(stage.offers, 1);
}

static void test_who_is_barred_is_offered_none(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_HOST, 1);
    stage.trunk->barred_until_ms = START_MS + 1;
    trunk_stage_hear(RECORD_LANE_WANT, 0, NULL, 0);
    trunk_settle(stage.trunk);
    assert_int_equal(stage.offers, 0);
    assert_int_equal(fake_loop_due(), START_MS + 1);
    fake_loop.now_ms++;
    trunk_settle(stage.trunk);
    assert_int_equal(stage.offers, 1);
}

static void test_records_of_no_session_are_ignored(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_HOST, 0);
    stage.trunk->link = NULL;
    trunk_stage_hear(RECORD_LANE_WANT, 0, NULL, 0);
    assert_int_equal(stage.offers, 0);
}

static void test_all_that_is_said_names_the_class(void **state)
{
    (void)state;
    stage.trunk->class = 1;
    trunk_stage_open(SESSION_HOST, 1);
    trunk_stage_lane();
    assert_true(stage.connections[0].background);
    assert_said(RECORD_LANE_OFFER, 1);
    trunk_rekeyed(stage.trunk);
    trunk_settle(stage.trunk);
    assert_said(RECORD_LANE_KEY, 1);
    stage.session.role = SESSION_JOINER;
    trunk_say_closed_early(stage.trunk);
    assert_said(RECORD_LANE_FAILED, 1);
}

static void test_where_connections_come_by_a_detour_there_is_more_time(void **state)
{
    (void)state;
    stage.session.indirect = true;
    trunk_stage_open(SESSION_HOST, 1);
    trunk_settle(stage.trunk);
    assert_int_equal(fake_loop_due(), START_MS + TRUNK_OFFER_INDIRECT_MS);
    assert_false(fake_loop_step(START_MS + TRUNK_OFFER_INDIRECT_MS - 1));
    assert_true(stage.trunk->offered);
    assert_true(fake_loop_step(START_MS + TRUNK_OFFER_INDIRECT_MS));
    assert_false(stage.trunk->offered);
}

static void test_there_are_so_many_lanes_and_no_more(void **state)
{
    const char *const too_many = "there are too many second connections at once";
    (void)state;
    trunk_stage_open(SESSION_HOST, 1);
    trunk_settle(stage.trunk);
    stage.ground.lanes = TRUNK_LANES_MAX;
    assert_false(trunk_stage_attach(1, &stage.connections[0]));
    trunk_rekeyed(stage.trunk); /* makes a new offer of one that is out */
    assert_int_equal(stage.offers, 1);
    assert_string_equal(stage.trunk->error, too_many);
    stage.ground.lanes--;
    trunk_stage_hear(RECORD_LANE_WANT, 0, NULL, 0);
    assert_true(trunk_stage_attach(2, &stage.connections[0]));
    assert_int_equal(stage.ground.lanes, TRUNK_LANES_MAX);
    trunk_stage_hear(RECORD_LANE_WANT, 0, NULL, 0); /* one for another needs no more */
    assert_true(trunk_stage_attach(3, &stage.connections[1]));
    trunk_session_down(stage.trunk, false);
    assert_int_equal(stage.ground.lanes, TRUNK_LANES_MAX - 1);
    stage.ground.lanes = 0;
}

static void test_a_joiner_with_too_many_lanes_says_so(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_JOINER, 1);
    hear_offer(4);
    trunk_settle(stage.trunk);
    stage.ground.lanes = TRUNK_LANES_MAX;
    assert_true(stage.race->connected(stage.trunk, 0, &stage.connections[0]));
    assert_true(stage.connections[0].freed);
    assert_failed_for(LANE_NO_RESOURCES, 4);
    assert_string_equal(stage.trunk->error, "there are too many second connections at once");
    stage.ground.lanes = 0;
}

static void test_an_offer_is_taken_once_by_who_knows_its_secret(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_HOST, 1);
    assert_false(trunk_stage_attach(0, &stage.connections[0])); /* nothing was offered */
    trunk_settle(stage.trunk);
    assert_false(trunk_stage_attach(9, &stage.connections[0]));
    stage.forged = true;
    assert_false(trunk_stage_attach(1, &stage.connections[0]));
    stage.forged = false;
    assert_true(trunk_stage_attach(1, &stage.connections[1]));
    assert_int_equal(stage.begun, 1);
    assert_int_equal(stage.attached, 1);
    assert_true(stage.connections[1].bulk);
    assert_ptr_equal(stage.connections[1].context, stage.trunk);
    assert_false(trunk_stage_attach(1, &stage.connections[2]));
}

static void test_a_joiner_takes_no_attach(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_JOINER, 1);
    hear_offer(4);
    assert_false(trunk_stage_attach(4, &stage.connections[0]));
    trunk_session_down(stage.trunk, false);
    assert_false(trunk_stage_attach(4, &stage.connections[0]));
}

static void test_a_new_lane_takes_the_place_of_the_old_one(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_HOST, 1);
    trunk_stage_lane();
    trunk_stage_hear(RECORD_LANE_WANT, 0, NULL, 0);
    assert_int_equal(stage.detached, 0);
    assert_true(trunk_stage_attach(2, &stage.connections[1]));
    assert_true(stage.connections[0].freed);
    assert_int_equal(stage.detached, 1);
    assert_int_equal(stage.attached, 2);
}

static void test_an_offer_that_nobody_takes_lapses(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_HOST, 1);
    trunk_settle(stage.trunk);
    assert_false(fake_loop_step(START_MS + TRUNK_OFFER_MS - 1));
    assert_true(fake_loop_step(START_MS + TRUNK_OFFER_MS));
    assert_string_equal(stage.trunk->error, "can't open a second connection: the other side did "
                                            "not come for it");
    assert_false(trunk_stage_attach(1, &stage.connections[0]));
    assert_wait_of_about(TRUNK_WANT_MIN_MS);
    trunk_settle(stage.trunk);
    assert_int_equal(stage.offers, 1);
    assert_int_equal(fake_loop_due(), stage.trunk->try_at_ms);
    fake_loop.now_ms = stage.trunk->try_at_ms;
    trunk_settle(stage.trunk);
    assert_int_equal(stage.offers, 2);
}

static void test_a_failure_is_told_with_its_reason(void **state)
{
    static const struct {
        uint8_t reason;
        const char *says;
    } cases[] = {
        {0, "the peer failed"},
        {LANE_NOT_REACHED, "the peer could not reach us again"},
        {LANE_CLOSED_EARLY, "it was closed at once"},
        {LANE_NOT_WANTED, "the peer wants none"},
        {LANE_NO_RESOURCES, "the peer is out of resources"},
        {LANE_NO_RESOURCES + 1, "the peer failed"},
    };
    (void)state;
    trunk_stage_open(SESSION_HOST, 1);
    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        trunk_stage_hear(RECORD_LANE_WANT, 0, NULL, 0);
        hear_failed((uint8_t)(stage.offers + 1), cases[i].reason); /* of another offer */
        assert_true(stage.trunk->offered);
        hear_failed((uint8_t)stage.offers, cases[i].reason);
        assert_false(stage.trunk->offered);
        assert_non_null(strstr(stage.trunk->error, cases[i].says));
    }
}

static void test_new_keys_of_the_session_make_a_new_offer(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_HOST, 1);
    trunk_rekeyed(stage.trunk);
    assert_int_equal(stage.offers, 0);
    trunk_settle(stage.trunk);
    trunk_rekeyed(stage.trunk);
    assert_said(RECORD_LANE_OFFER, 2);
    assert_false(trunk_stage_attach(1, &stage.connections[0]));
    assert_true(trunk_stage_attach(2, &stage.connections[0]));
}

static void test_new_keys_of_the_session_bring_new_keys_of_the_lane(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_HOST, 1);
    trunk_stage_lane();
    stage.trunk->lane.sending.generation = 3;
    stage.switching = true; /* the last generation is not in use yet */
    trunk_rekeyed(stage.trunk);
    trunk_settle(stage.trunk);
    assert_said(RECORD_LANE_OFFER, 1);
    stage.switching = false;
    trunk_settle(stage.trunk);
    assert_said(RECORD_LANE_KEY, 1);
    assert_int_equal(stage.key, 4);
    assert_int_equal(stage.session.said.size, RECORD_HEADER_SIZE + LANE_KEY_SIZE);
    trunk_settle(stage.trunk);
    assert_int_equal(stage.session.records, 2);
}

static void test_a_lane_whose_keys_can_t_be_renewed_is_lost(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_HOST, 1);
    trunk_stage_lane();
    trunk_rekeyed(stage.trunk);
    stage.key_error = -EIO;
    trunk_settle(stage.trunk);
    assert_int_equal(stage.session.records, 1);
    assert_true(stage.connections[0].freed);
    assert_string_equal(stage.trunk->error, "new keys could not be made");
}

/* --- the joiner ------------------------------------------------------------------------------- */

static void test_a_joiner_with_streams_asks_less_and_less_often(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_JOINER, 1);
    trunk_settle(stage.trunk);
    assert_said(RECORD_LANE_WANT, 0);
    assert_int_equal(fake_loop_due(), stage.trunk->try_at_ms);
    trunk_settle(stage.trunk);
    assert_int_equal(stage.session.records, 1);
    fake_loop.now_ms = stage.trunk->try_at_ms;
    trunk_settle(stage.trunk);
    assert_int_equal(stage.session.records, 2);
    assert_wait_of_about(2 * (uint64_t)TRUNK_WANT_MIN_MS);
}

static void test_an_offer_is_dialled_where_the_session_is(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_JOINER, 1);
    hear_offer(4);
    trunk_settle(stage.trunk);
    assert_int_equal(stage.dials, 1);
    assert_string_equal(stage.way.host, "198.51.100.9");
    assert_int_equal(stage.way.port, 8766);
    trunk_settle(stage.trunk);
    assert_int_equal(stage.dials, 1);
    assert_true(stage.race->connected(stage.trunk, 0, &stage.connections[0]));
    assert_int_equal(stage.connections[0].written, LANE_ATTACH_SIZE);
    assert_int_equal(stage.begun, 1);
    assert_int_equal(stage.trunk->lane.id[0], 4);
    trunk_settle(stage.trunk);
    assert_null(stage.race);
    assert_null(stage.trunk->dial);
    assert_int_equal(stage.dials, 1);
}

static void test_the_newest_offer_counts(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_JOINER, 1);
    hear_offer(4);
    trunk_settle(stage.trunk);
    hear_offer(5);
    assert_true(stage.race->connected(stage.trunk, 0, &stage.connections[0]));
    assert_int_equal(stage.trunk->lane.id[0], 5);
    assert_true(stage.race->connected(stage.trunk, 0, &stage.connections[1])); /* of no offer */
    assert_true(stage.connections[1].freed);
    assert_false(stage.connections[0].freed);
}

static void test_dials_have_a_gap(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_JOINER, 1);
    hear_offer(4);
    trunk_settle(stage.trunk);
    stage.race->failed(stage.trunk, 0, "Connection refused");
    assert_string_equal(stage.trunk->error, "can't open a second connection to 198.51.100.9:8766: "
                                            "Connection refused");
    stage.race->over(stage.trunk);
    assert_failed_for(LANE_NOT_REACHED, 4);
    assert_false(stage.trunk->offered);
    hear_offer(5);
    trunk_settle(stage.trunk);
    assert_int_equal(stage.dials, 1);
    assert_int_equal(fake_loop_due(), START_MS + TRUNK_WANT_MIN_MS);
    fake_loop.now_ms += TRUNK_WANT_MIN_MS;
    trunk_settle(stage.trunk);
    assert_int_equal(stage.dials, 2);
}

static void test_a_race_that_is_over_after_its_connection_is_no_failure(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_JOINER, 1);
    hear_offer(4);
    trunk_settle(stage.trunk);
    const struct dial_events *race = stage.race;
    race->connected(stage.trunk, 0, &stage.connections[0]);
    race->over(stage.trunk);
    assert_int_equal(stage.session.records, 0);
}

static void test_what_can_t_be_dialled_is_said(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_JOINER, 1);
    hear_offer(4);
    stage.dial_error = -EMFILE;
    trunk_settle(stage.trunk);
    assert_failed_for(LANE_NO_RESOURCES, 4);
    assert_string_equal(stage.trunk->error, strerror(EMFILE));
    fake_loop.now_ms += TRUNK_WANT_MIN_MS;
    stage.dial_error = 0;
    snprintf(stage.session_stream.origin.text, ADDRESS_TEXT_MAX, "local address");
    hear_offer(5);
    trunk_settle(stage.trunk);
    assert_int_equal(stage.dials, 1);
    assert_failed_for(LANE_NO_RESOURCES, 5);
}

static void test_a_joiner_without_keys_gives_the_connection_back(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_JOINER, 1);
    hear_offer(4);
    trunk_settle(stage.trunk);
    stage.lane_error = -EIO;
    assert_true(stage.race->connected(stage.trunk, 0, &stage.connections[0]));
    assert_true(stage.connections[0].freed);
    assert_int_equal(stage.begun, 0);
    assert_failed_for(LANE_NO_RESOURCES, 4);
}

static void test_a_joiner_takes_the_keys_of_its_lane_only(void **state)
{
    (void)state;
    trunk_stage_open(SESSION_JOINER, 1);
    hear_key(4, 1); /* there is no lane */
    hear_offer(4);
    trunk_settle(stage.trunk);
    stage.race->connected(stage.trunk, 0, &stage.connections[0]);
    hear_key(9, 2);
    assert_int_equal(stage.key, 0);
    hear_key(4, 3);
    assert_int_equal(stage.key, 3);
    trunk_rekeyed(stage.trunk); /* the host's matter */
    trunk_settle(stage.trunk);
    assert_int_equal(stage.session.records, 0);
    stage.key_error = LANE_FAULT;
    hear_key(4, 3);
    assert_true(stage.connections[0].freed);
    assert_string_equal(stage.trunk->error, "new keys out of turn");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, trunk_stage_set_up, trunk_stage_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_host_with_streams_offers_one_lane),
        TEST(test_without_streams_or_a_session_nothing_is_said),
        TEST(test_who_asks_is_offered_one),
        TEST(test_who_is_barred_is_offered_none),
        TEST(test_records_of_no_session_are_ignored),
        TEST(test_all_that_is_said_names_the_class),
        TEST(test_where_connections_come_by_a_detour_there_is_more_time),
        TEST(test_there_are_so_many_lanes_and_no_more),
        TEST(test_a_joiner_with_too_many_lanes_says_so),
        TEST(test_an_offer_is_taken_once_by_who_knows_its_secret),
        TEST(test_a_joiner_takes_no_attach),
        TEST(test_a_new_lane_takes_the_place_of_the_old_one),
        TEST(test_an_offer_that_nobody_takes_lapses),
        TEST(test_a_failure_is_told_with_its_reason),
        TEST(test_new_keys_of_the_session_make_a_new_offer),
        TEST(test_new_keys_of_the_session_bring_new_keys_of_the_lane),
        TEST(test_a_lane_whose_keys_can_t_be_renewed_is_lost),
        TEST(test_a_joiner_with_streams_asks_less_and_less_often),
        TEST(test_an_offer_is_dialled_where_the_session_is),
        TEST(test_the_newest_offer_counts),
        TEST(test_dials_have_a_gap),
        TEST(test_a_race_that_is_over_after_its_connection_is_no_failure),
        TEST(test_what_can_t_be_dialled_is_said),
        TEST(test_a_joiner_without_keys_gives_the_connection_back),
        TEST(test_a_joiner_takes_the_keys_of_its_lane_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
