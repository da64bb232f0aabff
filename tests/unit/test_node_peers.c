/* SPDX-License-Identifier: ISC */
/*
 * Tests core/node_peers: what people ask about peers, what is answered, and what it does to links
 * and dialling.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/node_peers_rig.h"

static const char *text_of(uint8_t first, char text[static FINGERPRINT_TEXT_MAX])
{
    const struct fingerprint key = key_of(first);
    fingerprint_format(&key, text);
    return text;
}

/* --- finding ---------------------------------------------------------------------------------- */

static void test_a_peer_is_found_by_name_and_by_key(void **state)
{
    char text[FINGERPRINT_TEXT_MAX];
    struct peer *peer;
    int64_t id;
    (void)state;
    assert_int_equal(node_find_peer(&stage.node, "carol", &peer), 0);
    assert_ptr_equal(peer, carol);
    assert_int_equal(node_find_peer(&stage.node, text_of(1, text), &peer), 0);
    assert_ptr_equal(peer, bob);
    assert_int_equal(node_find_peer(&stage.node, "dora", &peer), NODE_NO_SUCH_PEER);
    assert_int_equal(node_find_past_peer(&stage.node, "bob", &id), 0);
    assert_int_equal(id, 11);
}

static void test_a_peer_that_was_removed_is_found_as_one_of_the_past(void **state)
{
    char text[FINGERPRINT_TEXT_MAX];
    int64_t id;
    (void)state;
    assert_int_equal(node_find_past_peer(&stage.node, "dora", &id), 0);
    assert_int_equal(id, 40);
    assert_int_equal(node_find_past_peer(&stage.node, text_of(7, text), &id), 0);
    assert_int_equal(id, 47);
    stage.past_error = DB_NOT_FOUND;
    assert_int_equal(node_find_past_peer(&stage.node, "dora", &id), NODE_NO_SUCH_PEER);
    stage.past_error = -EIO;
    assert_int_equal(node_find_past_peer(&stage.node, "dora", &id), -EIO);
}

static void test_who_is_meant_when_nobody_is_named(void **state)
{
    struct peer *peer;
    (void)state;
    assert_int_equal(node_find_only_peer(&stage.node, &peer), NODE_AMBIGUOUS_PEER);
    name_default("carol");
    assert_int_equal(node_find_only_peer(&stage.node, &peer), 0);
    assert_ptr_equal(peer, carol);
    stage.node.runtime.settings.default_peer[0] = '\0';
    stage.node.roster.count = 1;
    assert_int_equal(node_find_only_peer(&stage.node, &peer), 0);
    assert_ptr_equal(peer, bob);
    stage.node.roster.count = 0;
    assert_int_equal(node_find_only_peer(&stage.node, &peer), NODE_NO_SUCH_PEER);
}

/* --- making and changing ---------------------------------------------------------------------- */

static void test_a_peer_without_a_key_is_not_pinned(void **state)
{
    const struct address address = {.host = "192.0.2.1", .port = 8766};
    const struct fingerprint key = key_of(NEW_KEY);
    struct peer *peer;
    (void)state;
    assert_int_equal(node_peer_add(&stage.node, "dora", &address, 1, NULL, PEER_VERIFIED, &peer),
                     0);
    assert_string_equal(peer->row.name, "dora");
    assert_int_equal(peer->row.trust, PEER_UNPINNED);
    assert_false(peer->row.pinned);
    assert_int_equal(peer->row.address_count, 1);
    assert_true(address_equal(&peer->row.addresses[0], &address));
    assert_int_equal(stage.granted, 1);
    assert_int_equal(stage.dials, 1);
    assert_int_equal(node_peer_add(&stage.node, "dora", NULL, 0, &key, PEER_VERIFIED, &peer), 0);
    assert_int_equal(peer->row.trust, PEER_VERIFIED);
    assert_true(has_key(peer, &key));
}

static void test_a_peer_that_can_t_be_made_is_not_dialled(void **state)
{
    char name[PEER_NAME_MAX + 1] = {0};
    struct peer *peer;
    (void)state;
    memset(name, 'x', PEER_NAME_MAX);
    assert_int_equal(node_peer_add(&stage.node, name, NULL, 0, NULL, PEER_TOFU, &peer),
                     NODE_BAD_NAME);
    stage.error = NODE_NAME_TAKEN;
    assert_int_equal(node_peer_add(&stage.node, "bob", NULL, 0, NULL, PEER_TOFU, &peer),
                     NODE_NAME_TAKEN);
    assert_int_equal(stage.granted + stage.dials, 0);
}

static void test_a_default_peer_that_is_renamed_stays_the_default(void **state)
{
    char *standard = stage.node.runtime.settings.default_peer;
    (void)state;
    name_default("bob");
    assert_null(node_outdated_default(&stage.node));
    assert_int_equal(node_peer_rename(&stage.node, carol, "dora"), 0);
    assert_string_equal(standard, "bob");
    assert_int_equal(node_peer_rename(&stage.node, bob, "rob"), 0);
    assert_int_equal(node_peer_rename(&stage.node, bob, "robert"), 0);
    assert_string_equal(standard, "robert");
    assert_string_equal(node_outdated_default(&stage.node), "bob"); /* what the file says */
    assert_int_equal(node_peer_rename(&stage.node, bob, "bob"), 0);
    assert_null(node_outdated_default(&stage.node));
}

static void test_a_name_that_can_t_be_changed_stays(void **state)
{
    (void)state;
    name_default("bob");
    assert_int_equal(node_peer_rename(&stage.node, bob, "bob"), 0);
    assert_int_equal(stage.updated, 0);
    assert_int_equal(node_peer_rename(&stage.node, bob, "carol"), NODE_NAME_TAKEN);
    stage.error = NODE_DISK_FULL;
    assert_int_equal(node_peer_rename(&stage.node, bob, "rob"), NODE_DISK_FULL);
    assert_string_equal(bob->row.name, "bob");
    assert_string_equal(stage.node.runtime.settings.default_peer, "bob");
}

static void test_other_addresses_are_tried_at_once(void **state)
{
    const struct address address = {.host = "192.0.2.1", .port = 8766};
    (void)state;
    assert_int_equal(node_peer_set_addresses(&stage.node, bob, &address, 1), 0);
    assert_int_equal(bob->row.address_count, 1);
    assert_true(address_equal(&bob->row.addresses[0], &address));
    assert_int_equal(stage.forgotten, 1);
    assert_int_equal(stage.at_once, 1);
    bob->link = &stage.link;
    assert_int_equal(node_peer_set_addresses(&stage.node, bob, NULL, 0), 0);
    assert_int_equal(bob->row.address_count, 0);
    assert_int_equal(stage.at_once, 1);
    stage.way_error = DB_FULL;
    assert_int_equal(node_peer_set_addresses(&stage.node, bob, NULL, 0), NODE_DISK_FULL);
    stage.error = NODE_DISK_FULL;
    assert_int_equal(node_peer_set_addresses(&stage.node, bob, &address, 1), NODE_DISK_FULL);
    assert_int_equal(stage.forgotten, 3);
}

static void test_a_peer_may_have_to_speak_a_post_quantum_suite(void **state)
{
    (void)state;
    bob->link = &stage.link;
    stage.hybrid = false;
    assert_int_equal(node_peer_require_pq(&stage.node, bob, true), NODE_NO_PQ);
    assert_int_equal(node_peer_require_pq(&stage.node, bob, false), 0);
    stage.hybrid = true;
    stage.session.suite = SUITE_HYBRID;
    assert_int_equal(node_peer_require_pq(&stage.node, bob, true), 0);
    assert_int_equal(stage.closed, 0);
    assert_int_equal(node_peer_require_pq(&stage.node, bob, true), 0);
    assert_int_equal(stage.updated, 1);
    stage.session.suite = SUITE_CLASSIC;
    assert_int_equal(node_peer_require_pq(&stage.node, bob, false), 0);
    assert_int_equal(stage.closed + stage.at_once, 0);
    assert_int_equal(node_peer_require_pq(&stage.node, bob, true), 0);
    assert_closed(CLOSE_REFUSED);
    bob->link = NULL;
    assert_int_equal(node_peer_require_pq(&stage.node, bob, false), 0);
    assert_int_equal(stage.at_once, 1);
    stage.error = NODE_DISK_FULL;
    assert_int_equal(node_peer_require_pq(&stage.node, bob, true), NODE_DISK_FULL);
}

static void test_a_removed_peer_loses_its_queue_and_what_it_asked_for(void **state)
{
    (void)state;
    stage.error = NODE_DISK_FULL;
    stage.calls_error = -ENOMEM;
    stage.removal_error = -EIO;
    assert_int_equal(node_peer_remove(&stage.node, bob), NODE_DISK_FULL);
    assert_int_equal(stage.dropped, 0);
    stage.error = 0;
    assert_int_equal(node_peer_remove(&stage.node, bob), -ENOMEM);
    stage.calls_error = 0;
    assert_int_equal(node_peer_remove(&stage.node, bob), -EIO);
    assert_int_equal(stage.removed, 2);
    assert_int_equal(stage.dropped, 2);
    assert_int_equal(stage.looked, 3);
}

/* --- trust ------------------------------------------------------------------------------------ */

static void test_only_the_key_that_a_peer_has_is_verified(void **state)
{
    const struct fingerprint right = key_of(1), wrong = key_of(2);
    (void)state;
    assert_int_equal(node_peer_verify(&stage.node, bob, &wrong), NODE_MISMATCH);
    bob->row.pinned = false;
    assert_int_equal(node_peer_verify(&stage.node, bob, &right), NODE_NO_KEY);
    assert_int_equal(node_peer_verify_number(&stage.node, bob, "1"), NODE_NO_KEY);
    bob->row.pinned = true;
    bob->row.trust = PEER_BLOCKED;
    assert_int_equal(node_peer_verify(&stage.node, bob, &right), NODE_BLOCKED);
    assert_int_equal(stage.updated, 0);
    bob->row.trust = PEER_TOFU;
    assert_int_equal(node_peer_verify(&stage.node, bob, &right), 0);
    assert_int_equal(bob->row.trust, PEER_VERIFIED);
}

static void test_only_the_safety_number_of_both_verifies(void **state)
{
    (void)state;
    stage.number = SAFETY_NUMBER_OTHER;
    assert_int_equal(node_peer_verify_number(&stage.node, bob, "1"), NODE_MISMATCH);
    stage.number = SAFETY_NUMBER_MALFORMED;
    assert_int_equal(node_peer_verify_number(&stage.node, bob, "1"), NODE_MALFORMED);
    stage.number = -EIO;
    assert_int_equal(node_peer_verify_number(&stage.node, bob, "1"), -EIO);
    assert_int_equal(bob->row.trust, PEER_TOFU);
    stage.number = 0;
    assert_int_equal(node_peer_verify_number(&stage.node, bob, "1"), 0);
    assert_int_equal(bob->row.trust, PEER_VERIFIED);
}

static void test_a_blocked_peer_has_no_link_until_it_is_let_in_again(void **state)
{
    (void)state;
    bob->link = &stage.link;
    stage.error = NODE_DISK_FULL;
    assert_int_equal(node_peer_block(&stage.node, bob), NODE_DISK_FULL);
    assert_int_equal(stage.closed + stage.stopped, 0);
    stage.error = 0;
    assert_int_equal(node_peer_unblock(&stage.node, bob), 0); /* it is not blocked */
    assert_int_equal(stage.updated, 0);
    assert_int_equal(node_peer_block(&stage.node, bob), 0);
    assert_closed(CLOSE_REFUSED);
    assert_int_equal(stage.stopped, 1);
    assert_int_equal(bob->row.trust, PEER_BLOCKED);
    assert_int_equal(node_peer_unblock(&stage.node, bob), 0);
    assert_int_equal(bob->row.trust, PEER_TOFU);
    assert_int_equal(stage.at_once, 1);
    bob->link = NULL;
    bob->row.pinned = false;
    node_peer_block(&stage.node, bob);
    node_peer_unblock(&stage.node, bob);
    assert_int_equal(bob->row.trust, PEER_UNPINNED);
}

static void test_a_request_is_blocked_rejected_or_unknown(void **state)
{
    const struct fingerprint key = key_of(NEW_KEY), other = key_of(NEW_KEY + 1);
    struct peer *peer;
    (void)state;
    assert_int_equal(node_request_reject(&stage.node, &key), NODE_NO_SUCH_REQUEST);
    ask(NEW_KEY, &stage.link);
    assert_int_equal(node_request_reject(&stage.node, &key), 0);
    assert_closed(CLOSE_REFUSED);
    assert_int_equal(stage.node.pending_keys.count, 0);
    ask(NEW_KEY, NULL);
    stage.error = NODE_DISK_FULL;
    assert_int_equal(node_request_block(&stage.node, &key, &peer), NODE_DISK_FULL);
    assert_int_equal(stage.node.pending_keys.count, 1);
    stage.error = 0;
    assert_int_equal(node_request_block(&stage.node, &key, &peer), 0);
    assert_int_equal(peer->row.trust, PEER_BLOCKED);
    assert_int_equal(stage.node.pending_keys.count, 0);
    assert_int_equal(node_request_block(&stage.node, &other, &peer), 0); /* before it asks */
    assert_int_equal(stage.closed, 1);
}

static void test_who_asked_becomes_a_peer(void **state)
{
    const struct fingerprint key = key_of(NEW_KEY);
    struct peer *peer;
    (void)state;
    assert_int_equal(node_accept(&stage.node, "dora", &key, &peer), NODE_NO_SUCH_REQUEST);
    ask(NEW_KEY, &stage.link);
    stage.error = NODE_DISK_FULL;
    assert_int_equal(node_accept(&stage.node, NULL, &key, &peer), NODE_DISK_FULL);
    assert_int_equal(stage.granted, 0);
    stage.error = 0;
    assert_int_equal(node_accept(&stage.node, "dora", &key, &peer), 0);
    assert_string_equal(peer->row.name, "dora");
    assert_int_equal(peer->row.trust, PEER_TOFU);
    assert_int_equal(stage.granted, 1);
    assert_int_equal(stage.adopted, 1);
}

static void test_a_known_peer_gets_only_the_key_that_it_offered(void **state)
{
    const struct fingerprint key = key_of(NEW_KEY), taken = key_of(2);
    struct peer *peer;
    (void)state;
    ask(NEW_KEY, NULL); /* that somebody asks with it says nothing of bob */
    assert_int_equal(node_accept(&stage.node, "bob", &key, &peer), NODE_MISMATCH);
    bob->row.offered = true;
    bob->row.offered_key[0] = 2;
    assert_int_equal(node_accept(&stage.node, "bob", &key, &peer), NODE_MISMATCH);
    assert_int_equal(node_accept(&stage.node, "bob", &taken, &peer), NODE_KEY_TAKEN);
    bob->row.offered_key[0] = NEW_KEY;
    stage.error = NODE_DISK_FULL;
    assert_int_equal(node_accept(&stage.node, "bob", &key, &peer), NODE_DISK_FULL);
    assert_int_equal(stage.granted, 0);
    stage.error = 0;
    bob->link = &stage.link;
    assert_int_equal(node_accept(&stage.node, "bob", &key, &peer), 0);
    assert_ptr_equal(peer, bob);
    assert_true(has_key(bob, &key));
    assert_closed(CLOSE_REFUSED); /* the old key's */
    assert_int_equal(stage.granted, 1);
    assert_int_equal(stage.at_once, 1);
}

static void test_a_peer_without_a_key_gets_one_that_asked(void **state)
{
    const struct fingerprint key = key_of(NEW_KEY);
    struct peer *peer;
    (void)state;
    carol->row.pinned = false;
    assert_int_equal(node_accept(&stage.node, "carol", &key, &peer), NODE_MISMATCH);
    ask(NEW_KEY, NULL);
    assert_int_equal(node_accept(&stage.node, "carol", &key, &peer), 0);
    assert_int_equal(stage.pinned, 1);
    assert_int_equal(stage.closed, 0);
}

/* --- links ------------------------------------------------------------------------------------ */

static void test_a_peer_that_was_silenced_is_let_in_again(void **state)
{
    (void)state;
    assert_int_equal(node_peer_connect(bob), NODE_NO_ADDRESS);
    bob->link = &stage.link;
    node_peer_disconnect(bob);
    assert_true(bob->silenced);
    assert_closed(CLOSE_NORMAL);
    assert_int_equal(stage.stopped, 1);
    bob->link = NULL;
    assert_int_equal(node_peer_connect(bob), 0); /* it has no address, but may call */
    assert_false(bob->silenced);
    assert_int_equal(stage.at_once, 0);
    bob->hearsay.count = 1;
    assert_int_equal(node_peer_connect(bob), 0);
    assert_int_equal(stage.at_once, 1);
    bob->hearsay.count = 0;
    bob->row.address_count = 1;
    assert_int_equal(node_peer_connect(bob), 0);
    assert_int_equal(stage.at_once, 2);
    bob->link = &stage.link;
    assert_int_equal(node_peer_connect(bob), 0);
    assert_int_equal(stage.at_once, 2);
    bob->row.trust = PEER_BLOCKED;
    assert_int_equal(node_peer_connect(bob), NODE_BLOCKED);
}

static void test_a_ping_needs_a_session_and_some_patience(void **state)
{
    (void)state;
    assert_int_equal(node_peer_ping(&stage.node, bob), NODE_OFFLINE);
    bob->link = &stage.link;
    stage.offline = true;
    assert_int_equal(node_peer_ping(&stage.node, bob), NODE_OFFLINE);
    stage.offline = false;
    stage.session.pinged_lately = true;
    assert_int_equal(node_peer_ping(&stage.node, bob), NODE_TOO_OFTEN);
    assert_false(stage.link.dirty);
    stage.session.pinged_lately = false;
    assert_int_equal(node_peer_ping(&stage.node, bob), 0);
    assert_true(stage.link.dirty);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, node_stage_set_up, node_stage_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_peer_is_found_by_name_and_by_key),
        TEST(test_a_peer_that_was_removed_is_found_as_one_of_the_past),
        TEST(test_who_is_meant_when_nobody_is_named),
        TEST(test_a_peer_without_a_key_is_not_pinned),
        TEST(test_a_peer_that_can_t_be_made_is_not_dialled),
        TEST(test_a_default_peer_that_is_renamed_stays_the_default),
        TEST(test_a_name_that_can_t_be_changed_stays),
        TEST(test_other_addresses_are_tried_at_once),
        TEST(test_a_peer_may_have_to_speak_a_post_quantum_suite),
        TEST(test_a_removed_peer_loses_its_queue_and_what_it_asked_for),
        TEST(test_only_the_key_that_a_peer_has_is_verified),
        TEST(test_only_the_safety_number_of_both_verifies),
        TEST(test_a_blocked_peer_has_no_link_until_it_is_let_in_again),
        TEST(test_a_request_is_blocked_rejected_or_unknown),
        TEST(test_who_asked_becomes_a_peer),
        TEST(test_a_known_peer_gets_only_the_key_that_it_offered),
        TEST(test_a_peer_without_a_key_gets_one_that_asked),
        TEST(test_a_peer_that_was_silenced_is_let_in_again),
        TEST(test_a_ping_needs_a_session_and_some_patience),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
