/* SPDX-License-Identifier: ISC */
/*
 * Tests core/tell: who is told where this machine is, how often, and what is believed of others.
 */
#include "core/tell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

enum { START_MS = 1000000, WALL_MS = 1700000000 };

/* --- stand-ins -------------------------------------------------------------------------------- */

static struct stage {
    struct runtime runtime;
    struct tell tell;
    struct link link;
    struct peer peer;
    struct address own[TOLD_MAX];
    unsigned own_count;
    struct address said[TOLD_MAX]; /* what the session was given last … */
    unsigned said_count, sent;     /* … and how often it was given anything */
    int refusal;                   /* what it answers instead */
    struct address stored[PEER_TOLD_MAX];
    unsigned stored_count, writes;
    bool open, trusted;
} stage;

int session_tell(struct session *session, struct span body)
{
    (void)session;
    if (stage.refusal != 0)
        return stage.refusal;
    stage.said_count = told_parse(body, stage.said);
    stage.sent++;
    return 0;
}

void link_touch(struct link *link)
{
    link->dirty = true;
}

bool link_open(const struct link *link)
{
    (void)link;
    return stage.open;
}

bool peer_trusted(const struct peer *peer)
{
    (void)peer;
    return stage.trusted;
}

int peers_set_told(struct db *db, int64_t id, const struct address *told, unsigned count,
                   uint64_t time_ms)
{
    (void)db, (void)id, (void)time_ms;
    stage.writes++;
    stage.stored_count = count;
    memcpy(stage.stored, told, count * sizeof *told);
    return 0;
}

static unsigned own(void *context, struct address *addresses, unsigned max)
{
    (void)context;
    assert_true(stage.own_count <= max);
    memcpy(addresses, stage.own, stage.own_count * sizeof *addresses);
    return stage.own_count;
}

/* --- the stage -------------------------------------------------------------------------------- */

static struct address address(const char *text)
{
    struct address parsed;
    assert_int_equal(address_parse(text, &parsed), 0);
    return parsed;
}

static void have(const char *text)
{
    stage.own[0] = address(text);
    stage.own_count = 1;
}

static int set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(START_MS, WALL_MS);
    stage.open = stage.trusted = true;
    stage.runtime.settings.tell_addresses = true;
    stage.tell = (struct tell){.runtime = &stage.runtime, .own = own};
    stage.link.peer = &stage.peer;
    have("198.51.100.7:8766");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bytes_deinit(&stage.link.told);
    hearsay_deinit(&stage.peer.hearsay);
    return 0;
}

static void tell(void)
{
    stage.link.untold = true;
    tell_link(&stage.tell, &stage.link);
}

static void assert_said(const char *text)
{
    const struct address expected = address(text);
    assert_int_equal(stage.said_count, 1);
    assert_true(address_equal(&stage.said[0], &expected));
}

/* --- telling ---------------------------------------------------------------------------------- */

static void test_a_trusted_peer_is_told_once(void **state)
{
    (void)state;
    tell();
    assert_said("198.51.100.7:8766");
    assert_true(stage.link.dirty);
    fake_loop.now_ms += TELL_GAP_MS;
    tell();
    assert_int_equal(stage.sent, 1);
    assert_false(stage.link.untold);
}

static void test_only_public_addresses_are_told(void **state)
{
    (void)state;
    stage.own[1] = address("192.168.1.2:8766");
    stage.own[2] = address("127.0.0.1:8766");
    stage.own_count = 3;
    tell();
    assert_said("198.51.100.7:8766");
}

static void test_nobody_else_is_told(void **state)
{
    (void)state;
    stage.trusted = false;
    tell();
    stage.trusted = true;
    stage.open = false;
    tell();
    stage.open = true;
    stage.link.peer = NULL;
    tell();
    stage.link.peer = &stage.peer;
    stage.runtime.settings.tell_addresses = false;
    tell();
    assert_int_equal(stage.sent, 0);
    assert_false(stage.link.untold);
}

static void test_nothing_is_no_news_unless_something_was_told(void **state)
{
    (void)state;
    stage.own_count = 0;
    tell();
    assert_int_equal(stage.sent, 0);
    have("198.51.100.7:8766");
    tell();
    stage.own_count = 0;
    fake_loop.now_ms += TELL_GAP_MS;
    tell();
    assert_int_equal(stage.sent, 2);
    assert_int_equal(stage.said_count, 0);
}

static void test_other_addresses_wait_for_the_gap(void **state)
{
    (void)state;
    assert_int_equal(tell_due(&stage.link), 0);
    tell();
    have("198.51.100.8:8766");
    fake_loop.now_ms += TELL_GAP_MS - 1;
    tell();
    assert_int_equal(stage.sent, 1);
    assert_true(stage.link.untold);
    assert_int_equal(tell_due(&stage.link), START_MS + TELL_GAP_MS);
    fake_loop.now_ms++;
    tell();
    assert_said("198.51.100.8:8766");
    assert_false(stage.link.untold);
    assert_int_equal(tell_due(&stage.link), fake_loop.now_ms + TELL_GAP_MS);
}

static void test_what_the_session_did_not_take_was_not_told(void **state)
{
    (void)state;
    stage.refusal = -ENOMEM;
    tell();
    stage.refusal = 0;
    tell();
    assert_int_equal(stage.sent, 1);
}

/* --- hearing ---------------------------------------------------------------------------------- */

static int hear_both(const char *first, const char *second)
{
    struct bytes body = {0};
    const struct address told[] = {address(first), address(second)};
    assert_int_equal(told_append(&body, told, 2), 0);
    const int r = tell_hear(&stage.tell, &stage.peer, bytes_span(&body));
    bytes_deinit(&body);
    return r;
}

static int hear(const char *text)
{
    return hear_both(text, text);
}

static void test_what_is_heard_is_dialled_and_stored(void **state)
{
    const struct address expected = address("203.0.113.5:8766");
    (void)state;
    assert_int_equal(hear("203.0.113.5:8766"), 0);
    assert_int_equal(stage.peer.hearsay.count, 1);
    assert_true(address_equal(&stage.peer.hearsay.ways[0].address, &expected));
    assert_int_equal(stage.writes, 1);
    assert_true(address_equal(&stage.stored[0], &expected));
}

static void test_our_own_address_is_not_believed(void **state)
{
    (void)state;
    const struct address expected = address("203.0.113.5:8766");
    assert_int_equal(hear_both("198.51.100.7:8766", "203.0.113.5:8766"), 0);
    assert_int_equal(stage.peer.hearsay.count, 1);
    assert_true(address_equal(&stage.peer.hearsay.ways[0].address, &expected));
}

static void test_who_says_much_is_not_listened_to_nor_written_down(void **state)
{
    char text[32];
    (void)state;
    for (unsigned i = 1; i <= HEARSAY_LISTS_MAX + 1; i++) {
        snprintf(text, sizeof text, "203.0.113.%u:8766", i);
        assert_int_equal(hear(text), 0);
    }
    const struct address last = address("203.0.113.12:8766");
    assert_true(address_equal(&stage.peer.hearsay.ways[0].address, &last));
    assert_int_equal(stage.writes, 1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_trusted_peer_is_told_once),
        TEST(test_only_public_addresses_are_told),
        TEST(test_nobody_else_is_told),
        TEST(test_nothing_is_no_news_unless_something_was_told),
        TEST(test_other_addresses_wait_for_the_gap),
        TEST(test_what_the_session_did_not_take_was_not_told),
        TEST(test_what_is_heard_is_dialled_and_stored),
        TEST(test_our_own_address_is_not_believed),
        TEST(test_who_says_much_is_not_listened_to_nor_written_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
