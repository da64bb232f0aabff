/* SPDX-License-Identifier: ISC */
/*
 * Tests core/peer: which state people see, and what a link that comes or goes does to the dialling.
 */
#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/peer_rig.h"

static void begin_handshake(void)
{
    stage.round->attempt = &stage.link;
    stage.link.peer = stage.peer;
    stage.round->events->joined(stage.peer);
}

static void end_round(enum redial_event event)
{
    stage.round->events->over(stage.peer, stage.round, event);
}

static void come_online(void)
{
    peer_link_up(stage.peer, &stage.link);
    assert_int_equal(peer_link_open(stage.peer), 0);
}

static void assert_state(enum peer_state state)
{
    assert_int_equal(stage.peer->state, state);
}

static unsigned wait_of(void)
{
    return (unsigned)(fake_loop_due() - fake_loop.now_ms);
}

/* --- dialling --------------------------------------------------------------------------------- */

static void test_a_peer_with_an_address_is_dialled_until_it_is_here(void **state)
{
    (void)state;
    peer_start(stage.peer);
    assert_state(PEER_CONNECTING);
    assert_int_equal(stage.round->way_count, 1);
    begin_handshake();
    assert_state(PEER_HANDSHAKE);
    peer_link_up(stage.peer, &stage.link);
    assert_state(PEER_WAITING);
    assert_null(stage.round);
    assert_int_equal(peer_link_open(stage.peer), 0);
    assert_state(PEER_ONLINE);
    assert_int_equal(fake_loop_due(), UINT64_MAX);
    assert_int_equal(stage.rounds, 1);
}

static void test_a_round_in_vain_is_followed_by_another(void **state)
{
    (void)state;
    peer_start(stage.peer);
    end_round(REDIAL_FAILED);
    assert_state(PEER_BACKOFF);
    assert_int_equal(stage.unreached, 1);
    assert_in_range(wait_of(), 800, 1200);
    assert_int_equal(stage.peer->next_dial_ms, WALL_MS + fake_loop_due());
    fake_loop.now_ms = fake_loop_due();
    peer_dial(stage.peer);
    assert_state(PEER_CONNECTING);
    assert_int_equal(stage.rounds, 2);
    end_round(REDIAL_FAILED);
    peer_link_up(stage.peer, &stage.link);
    assert_int_equal(fake_loop_due(), UINT64_MAX);
    assert_int_equal(peer_link_open(stage.peer), 0);
    assert_int_equal(stage.peer->redial.failures[REDIAL_DIRECT], 0);
}

static void test_nobody_is_dialled_who_may_not_be(void **state)
{
    (void)state;
    stage.peer->row.trust = PEER_BLOCKED;
    peer_start(stage.peer);
    stage.peer->row.trust = PEER_TOFU;
    stage.peer->silenced = true;
    peer_start(stage.peer);
    stage.peer->silenced = false;
    stage.runtime.stopping = true;
    peer_start(stage.peer);
    stage.runtime.stopping = false;
    stage.peer->row.address_count = 0;
    peer_start(stage.peer);
    assert_int_equal(stage.rounds, 0);
    assert_state(PEER_OFFLINE);
}

static void test_where_a_peer_says_that_it_is_is_a_way_to_it(void **state)
{
    const struct address told[1] = {{.host = "203.0.113.9", .port = 8766}};
    (void)state;
    stage.peer->row.address_count = 0;
    assert_int_equal(hearsay_take(&stage.peer->hearsay, told, 1, WALL_MS + START_MS), 1);
    peer_start(stage.peer);
    assert_int_equal(stage.round->way_count, 1);
}

static void test_the_larger_key_waits_a_moment_at_first(void **state)
{
    (void)state;
    stage.peer->row.key[0] = OWN - 1;
    peer_start(stage.peer);
    assert_int_equal(stage.rounds, 0);
    assert_in_range(wait_of(), 1, 500);
    stage.queued = 1;
    peer_start(stage.peer);
    assert_int_equal(stage.rounds, 1);
}

static void test_what_waits_goes_first(void **state)
{
    (void)state;
    peer_start(stage.peer);
    assert_int_equal(stage.round->priority, DIAL_OTHER);
    stage.peer->redial.online_ms = START_MS - 1;
    peer_dial_at_once(stage.peer);
    assert_int_equal(stage.round->priority, DIAL_RECENT);
    stage.queued = 1;
    peer_dial_at_once(stage.peer);
    assert_int_equal(stage.round->priority, DIAL_AWAITED);
}

static void test_people_s_wish_gives_up_what_goes_on(void **state)
{
    (void)state;
    peer_start(stage.peer);
    begin_handshake();
    peer_dial_at_once(stage.peer);
    assert_int_equal(stage.closed, 1);
    assert_null(stage.link.peer);
    assert_int_equal(stage.rounds, 2);
    end_round(REDIAL_REFUSED);
    assert_in_range(wait_of(), 48000, 72000);
    peer_dial_at_once(stage.peer);
    assert_int_equal(stage.rounds, 3);
    peer_stop_dialling(stage.peer);
    assert_null(stage.round);
    assert_state(PEER_OFFLINE);
    assert_int_equal(fake_loop_due(), UINT64_MAX);
}

static void test_a_message_cuts_a_long_wait_short(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        fake_loop.now_ms += 3600000;
        peer_dial(stage.peer);
        end_round(REDIAL_FAILED);
    }
    assert_true(wait_of() > 60000);
    peer_urge(stage.peer);
    assert_int_equal(stage.rounds, 9);
    peer_urge(stage.peer);
    assert_int_equal(stage.rounds, 9);
}

static void test_another_network_starts_over_but_for_a_handshake(void **state)
{
    (void)state;
    peer_start(stage.peer);
    peer_network_changed(stage.peer);
    assert_int_equal(stage.rounds, 2);
    end_round(REDIAL_FAILED);
    assert_state(PEER_BACKOFF);
    peer_network_changed(stage.peer);
    assert_int_equal(stage.rounds, 3);
    begin_handshake();
    peer_network_changed(stage.peer);
    assert_int_equal(stage.rounds, 3);
    come_online();
    stage.peer->redial.short_lived = 1;
    peer_network_changed(stage.peer);
    assert_int_equal(stage.rounds, 3);
    assert_int_equal(stage.peer->redial.short_lived, 1); /* it has a link */
}

static void test_a_round_that_can_t_begin_is_a_failure(void **state)
{
    (void)state;
    stage.start_error = -EMFILE;
    peer_start(stage.peer);
    assert_state(PEER_BACKOFF);
    assert_string_equal(stage.peer->last_error, strerror(EMFILE));
}

static void test_a_way_that_failed_is_noted(void **state)
{
    const struct address told[1] = {{.host = "203.0.113.9", .port = 8766}};
    (void)state;
    assert_int_equal(hearsay_take(&stage.peer->hearsay, told, 1, WALL_MS + START_MS), 1);
    peer_start(stage.peer);
    assert_int_equal(stage.round->way_count, 2);
    stage.round->events->failed(stage.peer, &told[0], ATTEMPT_REFUSED, "no");
    assert_true(attempts_any(&stage.peer->attempts, ATTEMPT_REFUSED));
    assert_int_equal(stage.peer->hearsay.ways[0].failures, 1);
    assert_int_equal(stage.peer->failed_dials, 1);
    assert_string_equal(stage.peer->last_error, "203.0.113.9:8766: no");
    begin_handshake();
    come_online();
    assert_int_equal(stage.peer->failed_dials, 0);
    assert_false(attempts_any(&stage.peer->attempts, ATTEMPT_REFUSED));
    assert_string_equal(stage.peer->last_error, "");
}

/* --- its link --------------------------------------------------------------------------------- */

static void test_a_caller_s_link_ends_the_race_and_not_always_the_handshake(void **state)
{
    static struct link other;
    (void)state;
    peer_start(stage.peer);
    begin_handshake();
    other = stage.link;
    stage.round->attempt = &other;
    peer_link_up(stage.peer, &stage.link);
    assert_non_null(stage.round); /* only both sides together can tell which one to keep */
    assert_int_equal(stage.closed, 0);
    stage.stays = true;
    peer_link_up(stage.peer, &stage.link);
    assert_null(stage.round);
    assert_int_equal(stage.closed, 1);
}

static void test_a_handshake_begins_with_what_is_known_of_the_peer(void **state)
{
    (void)state;
    const struct address told = {.host = "198.51.100.9", .port = 8766};
    const struct secret tag = {{9}};
    struct round_greeting greeting = {0};
    peer_dial(stage.peer);
    stage.round->events->greet(stage.peer, &told, &greeting);
    assert_null(greeting.invite_secret);
    assert_int_equal(greeting.gone.count, 0);
    assert_false(greeting.given);
    stage.peer->row.invited = true;
    former_note(&stage.peer->former, &tag, fake_loop.now_ms);
    stage.round->events->greet(stage.peer, &bob.addresses[0], &greeting);
    assert_ptr_equal(greeting.invite_secret, stage.peer->row.invite_secret);
    assert_int_equal(greeting.gone.count, 1);
    assert_memory_equal(&greeting.gone.keys[0], &tag, sizeof tag);
    assert_true(greeting.given);
    former_list_cleanup(&greeting.gone);
}

static void test_where_a_dial_came_to_is_tried_first_next_time(void **state)
{
    (void)state;
    stage.session.role = SESSION_JOINER;
    come_online();
    assert_int_equal(stage.stored, 1);
    assert_string_equal(stage.last, "198.51.100.9");
    peer_link_down(stage.peer, &(struct link_end){0});
    assert_string_equal(stage.round->ways[0].host, "198.51.100.9");
    come_online();
    assert_int_equal(stage.stored, 1); /* that is no news */
    assert_int_equal(peer_forget_way(stage.peer), 0);
    assert_int_equal(stage.stored, 2);
    assert_string_equal(stage.last, "");
    assert_int_equal(peer_forget_way(stage.peer), 0);
    assert_int_equal(stage.stored, 2);
}

static void test_where_a_caller_comes_from_is_no_way_to_it(void **state)
{
    (void)state;
    stage.session.role = SESSION_HOST;
    come_online();
    assert_int_equal(stage.stored, 0);
}

static void test_after_a_link_broke_it_is_dialled_at_once(void **state)
{
    (void)state;
    come_online();
    fake_loop.now_ms += 3600000;
    peer_link_down(stage.peer, &(struct link_end){0});
    assert_int_equal(stage.rounds, 1);
    assert_state(PEER_CONNECTING);
    assert_string_equal(stage.peer->last_error, "it ended");
    assert_int_equal(stage.peer->seen_ms, WALL_MS + fake_loop.now_ms);
}

static void test_who_refuses_us_is_left_alone_for_a_while(void **state)
{
    (void)state;
    come_online();
    peer_link_down(stage.peer, &(struct link_end){.coded = true, .code = CLOSE_REFUSED});
    assert_int_equal(stage.rounds, 0);
    assert_in_range(wait_of(), 48000, 72000);
    assert_state(PEER_BACKOFF);
}

static void test_a_link_that_ends_as_it_should_is_no_error(void **state)
{
    (void)state;
    come_online();
    peer_link_down(stage.peer, &(struct link_end){.coded = true, .code = CLOSE_NORMAL});
    assert_string_equal(stage.peer->last_error, "");
}

static void test_a_round_is_no_failure_once_the_peer_has_called(void **state)
{
    static struct link other;
    (void)state;
    peer_start(stage.peer);
    other = stage.link;
    stage.round->attempt = &other;
    come_online();
    end_round(REDIAL_FAILED);
    assert_int_equal(stage.unreached, 0);
    assert_int_equal(stage.peer->redial.failures[REDIAL_DIRECT], 0);
    assert_state(PEER_ONLINE);
}

static void test_an_attempt_goes_over_to_who_answered(void **state)
{
    struct peer *other;
    struct peer_row row = bob;
    (void)state;
    row.address_count = 0;
    assert_int_equal(peer_new(&other, &stage.runtime, &stage.links, &row), 0);
    peer_start(stage.peer);
    other->silenced = true;
    struct round *round = stage.round;
    peer_take_attempt(other, stage.peer);
    assert_ptr_equal(other->rounds[REDIAL_DIRECT], round);
    assert_ptr_equal(round->peer, other);
    assert_null(stage.peer->rounds[REDIAL_DIRECT]);
    assert_false(other->silenced);
    assert_int_equal(other->state, PEER_HANDSHAKE);
    peer_free(other);
}

/* --- what people see -------------------------------------------------------------------------- */

static void test_a_peer_is_looked_at_when_its_state_changes(void **state)
{
    (void)state;
    assert_true(list_empty(&stage.stirred));
    peer_start(stage.peer);
    assert_ptr_equal(stage.stirred.next, &stage.peer->stirred);
    peer_stir(stage.peer);
    assert_ptr_equal(stage.peer->stirred.next, &stage.stirred);
}

static void test_observers_hear_again_if_somebody_was_shown_another_state(void **state)
{
    (void)state;
    peer_note_shown(stage.peer);
    assert_false(stage.peer->seen_otherwise);
    come_online();
    list_remove(&stage.peer->stirred);
    peer_note_shown(stage.peer);
    assert_true(stage.peer->seen_otherwise);
    assert_false(list_empty(&stage.stirred));
}

static void test_trust_that_is_offered_another_key_is_changed_unless_blocked(void **state)
{
    (void)state;
    assert_true(peer_trusted(stage.peer));
    stage.peer->row.offered = true;
    assert_int_equal(peer_trust(stage.peer), PEER_CHANGED);
    assert_false(peer_trusted(stage.peer));
    stage.peer->row.trust = PEER_BLOCKED;
    assert_int_equal(peer_trust(stage.peer), PEER_BLOCKED);
    stage.peer->row = (struct peer_row){.trust = PEER_UNPINNED};
    assert_false(peer_trusted(stage.peer));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, peer_stage_set_up, peer_stage_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_peer_with_an_address_is_dialled_until_it_is_here),
        TEST(test_a_round_in_vain_is_followed_by_another),
        TEST(test_nobody_is_dialled_who_may_not_be),
        TEST(test_where_a_peer_says_that_it_is_is_a_way_to_it),
        TEST(test_the_larger_key_waits_a_moment_at_first),
        TEST(test_what_waits_goes_first),
        TEST(test_people_s_wish_gives_up_what_goes_on),
        TEST(test_a_message_cuts_a_long_wait_short),
        TEST(test_another_network_starts_over_but_for_a_handshake),
        TEST(test_a_round_that_can_t_begin_is_a_failure),
        TEST(test_a_way_that_failed_is_noted),
        TEST(test_a_caller_s_link_ends_the_race_and_not_always_the_handshake),
        TEST(test_a_handshake_begins_with_what_is_known_of_the_peer),
        TEST(test_a_handshake_begins_with_what_is_known_of_the_peer),
        TEST(test_where_a_dial_came_to_is_tried_first_next_time),
        TEST(test_where_a_caller_comes_from_is_no_way_to_it),
        TEST(test_after_a_link_broke_it_is_dialled_at_once),
        TEST(test_who_refuses_us_is_left_alone_for_a_while),
        TEST(test_a_link_that_ends_as_it_should_is_no_error),
        TEST(test_a_round_is_no_failure_once_the_peer_has_called),
        TEST(test_an_attempt_goes_over_to_who_answered),
        TEST(test_a_peer_is_looked_at_when_its_state_changes),
        TEST(test_observers_hear_again_if_somebody_was_shown_another_state),
        TEST(test_trust_that_is_offered_another_key_is_changed_unless_blocked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
