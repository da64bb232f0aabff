/* SPDX-License-Identifier: ISC */
/*
 * Tests core/admission: whom it lets in, and what it has remembered before it does.
 */
#include <errno.h>
#include <string.h>

#include "core/node_outcome.h"
#include "unit/admission_rig.h"
#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

/* --- scenes ----------------------------------------------------------------------------------- */

static void identify(void)
{
    stage.session.asks = true;
    admission_identified(&stage.admission, &stage.link);
    assert_false(stage.session.asks);
}

/* Somebody with this key calls us, or answers where we dialled `peer`. */
static void call_in(uint8_t key)
{
    stage.session.role = SESSION_HOST;
    stage.session.key.fingerprint = (struct fingerprint){{key}};
    identify();
}

static void answer_as(uint8_t key, struct peer *peer)
{
    stage.session.role = SESSION_JOINER;
    stage.session.key.fingerprint = (struct fingerprint){{key}};
    stage.link.peer = peer;
    stage.link.given = true;
    identify();
}

static void confirm(void)
{
    stage.session.asks = true;
    admission_confirmed(&stage.admission, &stage.link);
}

static void assert_rejected(enum close_code code)
{
    assert_false(stage.session.asks);
    assert_int_equal(stage.session.code, code);
    assert_false(stage.established);
}

static void assert_link_of(const struct peer *peer)
{
    assert_true(stage.established && stage.link.establish_due);
    assert_ptr_equal(stage.up, peer);
    assert_int_equal(stage.session.code, CLOSE_NORMAL);
}

/* --- who may come in -------------------------------------------------------------------------- */

static void test_a_peer_is_let_in_within_its_own_budget(void **state)
{
    (void)state;
    while (limits_stranger_key(&stage.limits, NOW_MS))
        continue; /* strangers have used up theirs */
    for (unsigned i = 0; i < LIMITS_PEER_KEYS_BURST; i++) {
        call_in(BOB);
        assert_true(stage.session.admitted && stage.session.approved);
    }
    stage.session.admitted = false;
    call_in(BOB);
    assert_rejected(CLOSE_BUSY);
}

static void test_a_stranger_is_treated_by_the_policy(void **state)
{
    (void)state;
    call_in(STRANGER);
    assert_true(stage.session.admitted);
    assert_false(stage.session.approved);
    stage.runtime.settings.unknown_peers = UNKNOWN_ACCEPT;
    call_in(STRANGER);
    assert_true(stage.session.approved);
    stage.runtime.settings.unknown_peers = UNKNOWN_REJECT;
    call_in(STRANGER);
    assert_rejected(CLOSE_REFUSED);
}

static void test_a_stranger_for_whom_there_is_no_place_costs_nothing_and_may_come_again(
    void **state)
{
    (void)state;
    stage.runtime.settings.unknown_peers = UNKNOWN_ACCEPT;
    stage.crowded = true;
    call_in(STRANGER);
    assert_false(stage.session.admitted);
    assert_rejected(CLOSE_BUSY);
}

static void test_a_place_that_is_taken_meanwhile_is_no_error(void **state)
{
    (void)state;
    stage.runtime.settings.unknown_peers = UNKNOWN_ACCEPT;
    call_in(STRANGER);
    stage.crowded = true;
    confirm();
    assert_rejected(CLOSE_BUSY);
    assert_false(stage.has_adopted);
}

static void test_only_so_many_strangers_may_wait(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < LIMITS_PENDING_MAX; i++)
        pending_keys_add(&stage.pending_keys, &(struct fingerprint){{(uint8_t)(50 + i)}}, "there",
                         &stage.link, NOW_MS);
    call_in(STRANGER);
    assert_rejected(CLOSE_BUSY);
}

static void test_another_key_raises_the_alarm_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        answer_as(STRANGER, &stage.bob);
        assert_rejected(CLOSE_REFUSED);
        assert_int_equal(stage.doubts, 1);
    }
}

static void test_another_key_is_no_alarm_while_the_peer_is_here(void **state)
{
    struct link link = {.state = LINK_ACTIVE};
    (void)state;
    stage.bob.link = &link;
    answer_as(STRANGER, &stage.bob);
    assert_rejected(CLOSE_REFUSED);
    assert_int_equal(stage.doubts, 0);
}

static void test_another_key_where_nobody_said_that_it_is_raises_no_alarm(void **state)
{
    (void)state;
    stage.session.role = SESSION_JOINER;
    stage.session.key.fingerprint = (struct fingerprint){{STRANGER}};
    stage.link.peer = &stage.bob;
    identify();
    assert_rejected(CLOSE_REFUSED);
    assert_int_equal(stage.doubts, 0);
    assert_int_equal(stage.link.verdict, TRUST_ELSEWHERE);
}

static void test_a_peer_that_requires_the_post_quantum_suite_speaks_no_other(void **state)
{
    struct peer keyless = {.row = {.id = 2, .name = "carol", .require_pq = true}};
    (void)state;
    stage.bob.row.require_pq = true;
    stage.session.suite = SUITE_CLASSIC;
    call_in(BOB);
    assert_rejected(CLOSE_REFUSED);
    answer_as(BOB, &stage.bob);
    assert_rejected(CLOSE_REFUSED);
    answer_as(STRANGER, &keyless); /* which is not pinned by it */
    assert_rejected(CLOSE_REFUSED);
    assert_int_equal(stage.pins + stage.doubts, 0);

    stage.session.suite = SUITE_HYBRID;
    stage.session.code = CLOSE_NORMAL;
    call_in(BOB);
    confirm();
    assert_link_of(&stage.bob);
}

static void test_who_is_required_to_meanwhile_gets_no_session(void **state)
{
    (void)state;
    stage.session.suite = SUITE_CLASSIC;
    call_in(BOB);
    assert_true(stage.session.admitted);
    stage.bob.row.require_pq = true;
    confirm();
    assert_rejected(CLOSE_REFUSED);
}

static void test_who_is_accepted_for_such_a_peer_gets_no_weaker_session(void **state)
{
    (void)state;
    stage.session.suite = SUITE_CLASSIC;
    call_in(STRANGER);
    confirm();
    stage.adopted.row = (struct peer_row){
        .pinned = true, .trust = PEER_TOFU, .key = {STRANGER}, .require_pq = true};
    admission_grant(&stage.admission, &stage.adopted);
    assert_null(stage.up);
    assert_int_equal(stage.session.code, CLOSE_REFUSED);
}

static void test_two_that_are_one_keep_no_weaker_session(void **state)
{
    struct peer keyless = {.row = {.id = 2, .name = "carol", .require_pq = true}};
    struct session classic = {.suite = SUITE_CLASSIC};
    struct link link = {.state = LINK_ACTIVE, .session = &classic};
    struct peer *made;
    (void)state;
    assert_int_equal(roster_adopt(NULL, NULL, &(struct fingerprint){{STRANGER}}, PEER_TOFU, &made),
                     0);
    made->link = &link;
    stage.room = true;
    stage.session.suite = SUITE_HYBRID;
    answer_as(STRANGER, &keyless);
    assert_int_equal(stage.merges, 1);
    assert_int_equal(classic.code, CLOSE_REFUSED);
}

static void test_two_that_are_one_wait_for_room(void **state)
{
    struct peer keyless = {.row = {.id = 2, .name = "carol"}};
    struct peer *made;
    (void)state;
    assert_int_equal(roster_adopt(NULL, NULL, &(struct fingerprint){{STRANGER}}, PEER_TOFU, &made),
                     0);
    stage.room = false;
    answer_as(STRANGER, &keyless);
    assert_rejected(CLOSE_BUSY);
    assert_int_equal(stage.merges, 0);
    stage.room = true;
    answer_as(STRANGER, &keyless);
    assert_true(stage.session.approved);
    assert_int_equal(stage.merges, 1);
    assert_true(made->giving_due);
}

static void test_two_that_are_one_hand_over_in_steps(void **state)
{
    struct peer keyless = {.row = {.id = 2, .name = "carol"}};
    struct peer *made;
    unsigned steps = 0;
    (void)state;
    assert_int_equal(roster_adopt(NULL, NULL, &(struct fingerprint){{STRANGER}}, PEER_TOFU, &made),
                     0);
    stage.room = true;
    stage.keyless = &keyless;
    stage.steps_left = MERGING_STEPS_AT_ONCE + 3;
    answer_as(STRANGER, &keyless);
    assert_rejected(CLOSE_BUSY);
    while (fake_loop_step(NOW_MS))
        steps++;
    assert_int_equal(steps, 3);
    assert_int_equal(stage.dials, 1);
    assert_int_equal(stage.merges, 0);
    answer_as(STRANGER, &keyless);
    assert_int_equal(stage.merges, 1);
}

static void test_a_peer_that_is_removed_meanwhile_is_handed_over_no_more(void **state)
{
    struct peer keyless = {.row = {.id = 2, .name = "carol"}};
    struct peer *made;
    (void)state;
    assert_int_equal(roster_adopt(NULL, NULL, &(struct fingerprint){{STRANGER}}, PEER_TOFU, &made),
                     0);
    stage.room = true;
    stage.keyless = NULL;
    stage.steps_left = 2 * MERGING_STEPS_AT_ONCE;
    answer_as(STRANGER, &keyless);
    assert_true(fake_loop_step(NOW_MS));
    assert_false(fake_loop_step(NOW_MS));
    assert_int_equal(stage.dials, 0);
}

static void test_an_invite_opens_the_door_while_it_is_good(void **state)
{
    (void)state;
    stage.runtime.settings.unknown_peers = UNKNOWN_REJECT;
    stage.session.invited = true;
    call_in(STRANGER);
    assert_rejected(CLOSE_REFUSED);
    stage.invite_stored = true;
    call_in(STRANGER);
    assert_true(stage.session.approved);
}

/* --- what is remembered before the session exists --------------------------------------------- */

static void test_a_peer_s_session_becomes_its_link(void **state)
{
    (void)state;
    pending_keys_add(&stage.pending_keys, &(struct fingerprint){{BOB}}, "there", NULL, NOW_MS);
    call_in(BOB);
    confirm();
    assert_link_of(&stage.bob);
    assert_int_equal(stage.pins, 0);
    assert_int_equal(stage.pending_keys.count, 0); /* that it asked once needs no answer now */
}

static void test_first_contact_pins_the_key(void **state)
{
    (void)state;
    stage.bob.row = (struct peer_row){.id = 1, .name = "bob"};
    answer_as(STRANGER, &stage.bob);
    confirm();
    assert_link_of(&stage.bob);
    assert_int_equal(stage.pinned_as, PEER_TOFU);
}

static void test_what_can_t_be_remembered_makes_no_session(void **state)
{
    (void)state;
    stage.bob.row = (struct peer_row){.id = 1, .name = "bob"};
    stage.store = NODE_DISK_FULL;
    answer_as(STRANGER, &stage.bob);
    confirm();
    assert_rejected(CLOSE_INTERNAL_ERROR);
    assert_int_equal(stage.failure, 0);
    stage.store = -EIO;
    answer_as(STRANGER, &stage.bob);
    confirm();
    assert_rejected(CLOSE_INTERNAL_ERROR);
    assert_int_equal(stage.failure, -EIO);
}

static void test_the_right_key_ends_the_alarm(void **state)
{
    (void)state;
    stage.bob.row.offered = true;
    call_in(BOB);
    confirm();
    assert_link_of(&stage.bob);
    assert_false(stage.bob.row.offered);
    assert_int_equal(stage.pinned_as, PEER_VERIFIED);
}

static void test_an_invite_is_used_once(void **state)
{
    (void)state;
    stage.session.invited = stage.invite_stored = true;
    call_in(STRANGER);
    confirm();
    assert_link_of(&stage.adopted);
    assert_int_equal(stage.adopted.row.trust, PEER_VERIFIED);
    assert_false(stage.invite_stored);
}

static void test_an_invite_that_is_gone_meanwhile_is_none(void **state)
{
    (void)state;
    stage.runtime.settings.unknown_peers = UNKNOWN_REJECT;
    stage.session.invited = stage.invite_stored = true;
    call_in(STRANGER);
    stage.invite_stored = false;
    confirm();
    assert_rejected(CLOSE_REFUSED);
    assert_false(stage.has_adopted);
}

static void test_people_are_asked_about_a_stranger(void **state)
{
    (void)state;
    call_in(STRANGER);
    confirm();
    assert_link_of(NULL);
    assert_int_equal(stage.requests, 1);
    assert_int_equal(pending_keys_waiting(&stage.pending_keys), 1);
    stage.adopted.row = (struct peer_row){.pinned = true, .trust = PEER_TOFU, .key = {STRANGER}};
    admission_grant(&stage.admission, &stage.adopted);
    assert_ptr_equal(stage.up, &stage.adopted);
    assert_true(stage.session.approved);
    assert_int_equal(stage.pending_keys.count, 0);
}

static void test_who_is_blocked_meanwhile_gets_no_session(void **state)
{
    (void)state;
    call_in(BOB);
    stage.bob.row.trust = PEER_BLOCKED;
    confirm();
    assert_rejected(CLOSE_REFUSED);
}

static void test_a_link_too_many_is_none(void **state)
{
    struct link rival = {.state = LINK_ACTIVE};
    (void)state;
    stage.links.established_count = LINKS_MAX;
    call_in(BOB);
    confirm();
    assert_rejected(CLOSE_BUSY);
    stage.session.code = CLOSE_NORMAL;
    stage.rival = &rival; /* it takes the place of this one */
    call_in(BOB);
    confirm();
    assert_link_of(&stage.bob);
}

static void test_of_two_links_one_stays(void **state)
{
    struct link rival = {.state = LINK_ACTIVE};
    (void)state;
    stage.rival = &rival;
    stage.rival_stays = true;
    call_in(BOB);
    confirm();
    assert_rejected(CLOSE_DUPLICATE);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_peer_is_let_in_within_its_own_budget),
        TEST(test_a_stranger_is_treated_by_the_policy),
        TEST(test_a_stranger_for_whom_there_is_no_place_costs_nothing_and_may_come_again),
        TEST(test_a_place_that_is_taken_meanwhile_is_no_error),
        TEST(test_only_so_many_strangers_may_wait),
        TEST(test_another_key_raises_the_alarm_once),
        TEST(test_another_key_is_no_alarm_while_the_peer_is_here),
        TEST(test_another_key_where_nobody_said_that_it_is_raises_no_alarm),
        TEST(test_a_peer_that_requires_the_post_quantum_suite_speaks_no_other),
        TEST(test_who_is_required_to_meanwhile_gets_no_session),
        TEST(test_who_is_accepted_for_such_a_peer_gets_no_weaker_session),
        TEST(test_two_that_are_one_keep_no_weaker_session),
        TEST(test_two_that_are_one_wait_for_room),
        TEST(test_two_that_are_one_hand_over_in_steps),
        TEST(test_a_peer_that_is_removed_meanwhile_is_handed_over_no_more),
        TEST(test_an_invite_opens_the_door_while_it_is_good),
        TEST(test_a_peer_s_session_becomes_its_link),
        TEST(test_first_contact_pins_the_key),
        TEST(test_what_can_t_be_remembered_makes_no_session),
        TEST(test_the_right_key_ends_the_alarm),
        TEST(test_an_invite_is_used_once),
        TEST(test_an_invite_that_is_gone_meanwhile_is_none),
        TEST(test_people_are_asked_about_a_stranger),
        TEST(test_who_is_blocked_meanwhile_gets_no_session),
        TEST(test_a_link_too_many_is_none),
        TEST(test_of_two_links_one_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
