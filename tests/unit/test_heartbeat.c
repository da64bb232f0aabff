/* SPDX-License-Identifier: ISC */
/*
 * The heartbeat tells what is true, when it is, and no more often than it must. The node, its clock
 * and the service manager are played here.
 */
#include "daemon/heartbeat.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/notify.h"
#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

/* --- the node and its clock ------------------------------------------------------------------- */

static struct roster roster;
static struct pending_keys pending_keys;
enum { ALIVE, STATUS }; /* its timers, in their order */

struct loop *node_loop(const struct node *node)
{
    (void)node;
    return NULL;
}

const struct roster *node_roster(const struct node *node)
{
    (void)node;
    return &roster;
}

const struct pending_keys *node_pending_keys(const struct node *node)
{
    (void)node;
    return &pending_keys;
}

/* --- the service manager ---------------------------------------------------------------------- */

static uint64_t watchdog_ms;
static unsigned alive_count, ready_count, status_count;
static char status[256];

void notify_ready(void)
{
    ready_count++;
}

uint64_t notify_watchdog_ms(void)
{
    return watchdog_ms;
}

void notify_alive(void)
{
    alive_count++;
}

void notify_status(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(status, sizeof status, format, arguments);
    va_end(arguments);
    status_count++;
}

/* --- the tests -------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    struct heartbeat *heartbeat;
    fake_loop_start(1000, 0);
    alive_count = ready_count = status_count = 0;
    watchdog_ms = 0;
    roster.count = 1;
    roster.online = 0;
    pending_keys.count = 0;
    if (heartbeat_new(&heartbeat, NULL) < 0)
        return -1;
    *state = heartbeat;
    return 0;
}

static int tear_down(void **state)
{
    heartbeat_free(*state);
    return 0;
}

static void test_nothing_is_told_before_the_start(void **state)
{
    heartbeat_settled(*state);
    assert_int_equal(ready_count + alive_count + status_count, 0);
}

static void test_the_start_is_told_with_the_counts(void **state)
{
    heartbeat_start(*state);
    assert_int_equal(ready_count, 1);
    assert_string_equal(status, "0 of 1 peers online");
}

static void test_it_beats_twice_in_the_time_of_the_watchdog(void **state)
{
    watchdog_ms = 30000;
    heartbeat_start(*state);
    assert_int_equal(alive_count, 1);
    assert_int_equal(fake_loop.timers[ALIVE].at_ms, fake_loop.now_ms + 15000);
    fake_loop.now_ms += 15000;
    heartbeat_settled(*state);
    assert_int_equal(alive_count, 2);
    assert_int_equal(fake_loop.timers[ALIVE].at_ms, fake_loop.now_ms + 15000);
}

static void test_it_does_not_beat_more_often_than_that(void **state)
{
    watchdog_ms = 30000;
    heartbeat_start(*state);
    for (unsigned turn = 0; turn < 100; turn++, fake_loop.now_ms++)
        heartbeat_settled(*state);
    assert_int_equal(alive_count, 1);
}

static void test_it_does_not_beat_while_no_turn_settles(void **state)
{
    watchdog_ms = 30000;
    heartbeat_start(*state);
    fake_loop.now_ms += 60000; /* the timer has fired, the store hangs */
    assert_int_equal(alive_count, 1);
    heartbeat_settled(*state);
    assert_int_equal(alive_count, 2);
}

static void test_without_a_watchdog_it_never_beats_or_wakes(void **state)
{
    heartbeat_start(*state);
    fake_loop.now_ms += 1000000;
    heartbeat_settled(*state);
    assert_int_equal(alive_count, 0);
    assert_int_equal(fake_loop_due(), UINT64_MAX);
}

static void test_a_change_is_told_once(void **state)
{
    heartbeat_start(*state);
    fake_loop.now_ms += 5000;
    roster.online = 1;
    heartbeat_settled(*state);
    heartbeat_settled(*state);
    assert_int_equal(status_count, 2);
    assert_string_equal(status, "1 of 1 peers online");
}

static void test_many_changes_are_told_once_a_second(void **state)
{
    heartbeat_start(*state);
    uint64_t start = fake_loop.now_ms;
    for (; fake_loop.now_ms < start + 1000; fake_loop.now_ms += 10) {
        roster.online = 1 - roster.online;
        heartbeat_settled(*state);
    }
    assert_int_equal(status_count, 1);
    roster.online = 1;
    heartbeat_settled(*state);
    assert_int_equal(status_count, 2);
    assert_string_equal(status, "1 of 1 peers online");
}

static void test_a_change_right_after_another_is_told_later(void **state)
{
    heartbeat_start(*state);
    roster.online = 1;
    heartbeat_settled(*state);
    assert_int_equal(status_count, 1);
    assert_int_equal(fake_loop.timers[STATUS].at_ms, fake_loop.now_ms + 1000);
}

static void test_waiting_keys_are_counted(void **state)
{
    heartbeat_start(*state);
    fake_loop.now_ms += 5000;
    pending_keys.count = 2;
    heartbeat_settled(*state);
    assert_string_equal(status, "0 of 1 peers online, 2 unknown keys waiting");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_is_told_before_the_start),
        TEST(test_the_start_is_told_with_the_counts),
        TEST(test_it_beats_twice_in_the_time_of_the_watchdog),
        TEST(test_it_does_not_beat_more_often_than_that),
        TEST(test_it_does_not_beat_while_no_turn_settles),
        TEST(test_without_a_watchdog_it_never_beats_or_wakes),
        TEST(test_a_change_is_told_once),
        TEST(test_many_changes_are_told_once_a_second),
        TEST(test_a_change_right_after_another_is_told_later),
        TEST(test_waiting_keys_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
