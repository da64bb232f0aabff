/* SPDX-License-Identifier: ISC */
/*
 * Tests p2pchatctl follow and wait-online: what is asked for, what is printed, when they end.
 */
#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/ctl_rig.h"
#include "unit/fake_clock.h"

#define HELLO(past) "{\"result\":{\"past\":\"" past "\"}}"
#define FROM_PAST   ",\"past\":\"e1\""
#define FROM(seq)   "{\"result\":{\"sub\":1,\"from\":" seq "}}"
#define RECEIVED    "\"types\":[\"message.received\"]"
#define EVENT(seq, type, rest) \
    "{\"method\":\"event\",\"params\":{\"sub\":1,\"seq\":" seq ",\"type\":\"" type "\"," rest "}}"
#define MESSAGE(seq, body) \
    EVENT(seq, "message.received", "\"peer\":\"a\",\"message\":{\"body\":\"" body "\"}")
#define LIVE(seq) EVENT(seq, "follow.live", "\"time\":\"x\"")

static void follow_step(const char *params, const char *reply)
{
    rig_step("hello", "{}", HELLO("e1"));
    rig_step("follow", params, reply);
}

static void expect(int status, int expected_status, const char *out, const char *err)
{
    assert_string_equal(rig_err, err);
    assert_string_equal(rig_out, out);
    assert_int_equal(status, expected_status);
}

static void test_it_begins_now_with_received_messages(void **state)
{
    (void)state;
    follow_step("{" RECEIVED "}", FROM("4"));
    rig_push(MESSAGE("5", "one"));
    rig_push(MESSAGE("6", "two"));
    rig_push(MESSAGE("7", "three"));
    expect(rig_run("follow", "-o", "cat", "--count", "2", NULL), 0, "one\ntwo\n", "");
}

static void test_every_option_reaches_the_daemon(void **state)
{
    static const struct {
        const char *arguments[6];
        const char *params;
    } CASES[] = {
        {{"-p", "a", "--peer=b"}, "{\"peers\":[\"a\",\"b\"]," RECEIVED},
        {{"-n", "5"}, "{\"lines\":5," RECEIVED},
        {{"-n", "all"}, "{\"after\":0," RECEIVED},
        {{"--after", "9007199254740991"}, "{\"after\":9007199254740991," RECEIVED},
        {{"--since", "2026-11-22T21:00:00+02:00"},
         "{\"since\":\"2026-11-22T19:00:00.000Z\"," RECEIVED},
        {{"--since", "-1h"}, "{\"since\":\"2026-11-22T18:00:00.000Z\"," RECEIVED},
        {{"--types", "peer.online,peer.offline"}, "{\"types\":[\"peer.online\",\"peer.offline\"]"},
        {{"--types=x", "--types=y"}, "{\"types\":[\"y\"]"},
    };
    char params[160];

    (void)state;
    fake_clock_set(UINT64_C(1795374000000)); /* 2026-11-22T19:00:00Z */
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        const char *const *a = CASES[i].arguments;
        snprintf(params, sizeof params, "%s,\"live\":false}", CASES[i].params);
        follow_step(params, FROM("4"));
        rig_push(LIVE("4"));
        expect(rig_run("follow", "--no-follow", a[0], a[1], a[2], a[3], NULL), 0, "", "");
    }
}

static void test_the_end_of_the_backlog_is_for_programs_that_ask(void **state)
{
    (void)state;
    follow_step("{\"live\":false}", FROM("4"));
    rig_push(LIVE("4"));
    expect(rig_run("follow", "--no-follow", "--types=all", NULL), 0, "", "");
    follow_step("{\"live\":false}", FROM("4"));
    rig_push(LIVE("4"));
    expect(rig_run("follow", "--no-follow", "--types=all", "--json", NULL), 0,
           "{\"sub\":1,\"seq\":4,\"type\":\"follow.live\",\"time\":\"x\"}\n", "");
}

static void test_no_follow_ends_with_the_backlog(void **state)
{
    (void)state;
    follow_step("{\"after\":0," RECEIVED ",\"live\":false}", FROM("0"));
    rig_push(MESSAGE("1", "one"));
    rig_push(LIVE("1"));
    expect(rig_run("follow", "-n", "all", "--no-follow", "--json", NULL), 0,
           "{\"sub\":1,\"seq\":1,\"type\":\"message.received\",\"peer\":\"a\","
           "\"message\":{\"body\":\"one\"}}\n",
           "");
}

static void test_a_timeout_is_a_failure_only_for_who_counts(void **state)
{
    (void)state;
    follow_step("{" RECEIVED "}", FROM("0"));
    rig_push(MESSAGE("1", "one"));
    expect(rig_run("follow", "-o", "cat", "--timeout", "1", NULL), 0, "one\n", "");
    follow_step("{" RECEIVED "}", FROM("0"));
    rig_push(MESSAGE("1", "one"));
    expect(rig_run("follow", "-o", "cat", "--timeout", "1", "--count", "2", NULL), 75, "one\n",
           "p2pchatctl: not as many messages in time\n");
}

static void test_it_resumes_after_the_last_event_it_has_seen(void **state)
{
    (void)state;
    follow_step("{\"lines\":10," RECEIVED "}", FROM("4"));
    rig_push(MESSAGE("5", "one"));
    rig_push(MESSAGE("9", "two"));
    rig_lose(1);
    rig_step("hello", "{}", "{\"error\":{\"code\":-75,\"data\":{\"kind\":\"stopping\"}}}");
    follow_step("{\"after\":9," RECEIVED FROM_PAST "}", FROM("9"));
    rig_push(MESSAGE("10", "three"));
    expect(rig_run("follow", "-n", "10", "-o", "cat", "--count=3", NULL), 0, "one\ntwo\nthree\n",
           "p2pchatctl: lost the connection to the daemon, waiting for it\n");
}

static void test_it_resumes_where_it_began_when_nothing_came(void **state)
{
    (void)state;
    follow_step("{" RECEIVED "}", FROM("77"));
    rig_lose(0);
    follow_step("{\"after\":77," RECEIVED FROM_PAST "}", FROM("77"));
    rig_push(MESSAGE("78", "x"));
    expect(rig_run("follow", "-q", "-o", "cat", "--count=1", NULL), 0, "x\n", "");
}

static void test_it_goes_on_where_the_past_of_another_store_parts(void **state)
{
    (void)state;
    follow_step("{" RECEIVED "}", FROM("77"));
    rig_lose(0);
    rig_step("hello", "{}", HELLO("e2"));
    rig_step("follow", "{\"after\":77," RECEIVED FROM_PAST "}", FROM("70"));
    rig_push(EVENT("70", "follow.gap", "\"from\":71,\"to\":77,\"reason\":\"restored\""));
    rig_push(MESSAGE("71", "x"));
    rig_lose(0);
    rig_step("hello", "{}", HELLO("e2"));
    rig_step("follow", "{\"after\":71," RECEIVED ",\"past\":\"e2\"}", FROM("71"));
    rig_push(MESSAGE("72", "y"));
    expect(rig_run("follow", "-o", "cat", "--count=2", NULL), 0, "x\ny\n",
           "p2pchatctl: lost the connection to the daemon, waiting for it\n"
           "p2pchatctl: the daemon's store was replaced: events 71 to 77 are not in it\n"
           "p2pchatctl: lost the connection to the daemon, waiting for it\n");
}

static void test_the_first_connection_must_work(void **state)
{
    (void)state;
    rig_refuse(1, ECONNREFUSED);
    assert_int_equal(rig_run("follow", NULL), 69);
    assert_non_null(strstr(rig_err, "can't reach the daemon"));
}

/* It begins where it was asked to, even though it had to try again. */
static void test_it_waits_for_a_daemon_that_goes_away_before_it_has_subscribed(void **state)
{
    (void)state;
    rig_step("hello", "{}", NULL);
    rig_lose(2);
    rig_step("hello", "{}", HELLO("e1"));
    rig_step("follow", "{\"lines\":3," RECEIVED "}",
             "{\"error\":{\"code\":-75,\"data\":{\"kind\":\"stopping\"}}}");
    rig_lose(0);
    follow_step("{\"lines\":3," RECEIVED "}", FROM("4"));
    rig_push(MESSAGE("5", "one"));
    rig_lose(0);
    follow_step("{\"after\":5," RECEIVED FROM_PAST "}", FROM("5"));
    rig_push(MESSAGE("6", "two"));
    expect(rig_run("follow", "-n", "3", "-o", "cat", "--count=2", NULL), 0, "one\ntwo\n",
           "p2pchatctl: lost the connection to the daemon, waiting for it\n"
           "p2pchatctl: lost the connection to the daemon, waiting for it\n");
}

static void test_it_does_not_wait_for_a_daemon_beyond_its_timeout(void **state)
{
    (void)state;
    rig_step("hello", "{}", NULL);
    rig_lose(0);
    expect(rig_run("follow", "--timeout=0", "--count=1", NULL), 75, "",
           "p2pchatctl: not as many messages in time\n");
    rig_step("hello", "{}", NULL);
    rig_lose(0);
    expect(rig_run("wait-online", "--timeout=0", NULL), 75, "",
           "p2pchatctl: no peer is online in time\n");
}

static void test_a_gap_is_never_silent(void **state)
{
    (void)state;
    follow_step("{\"after\":1," RECEIVED ",\"live\":false}", FROM("1"));
    rig_push(EVENT("50", "follow.gap", "\"reason\":\"retention\""));
    rig_push(LIVE("50"));
    expect(rig_run("follow", "--after=1", "--no-follow", NULL), 0, "",
           "p2pchatctl: messages are missing here: retention\n");
}

static void test_the_daemons_refusal_is_the_exit_status(void **state)
{
    (void)state;
    follow_step(
        "{\"peers\":[\"x\"]," RECEIVED "}",
        "{\"error\":{\"code\":-67,\"message\":\"no x\",\"data\":{\"kind\":\"no_such_peer\"}}}");
    expect(rig_run("follow", "-p", "x", NULL), 67, "", "p2pchatctl: no x\n");
}

static void test_wrong_command_lines_are_told(void **state)
{
    static const struct {
        const char *arguments[4];
        const char *err;
    } CASES[] = {
        {{"-n", "x"}, "-n must be a number, not \"x\""},
        {{"-n", "1", "--after=1"}, "only one of -n, --since and --after can be given"},
        {{"--count=0"}, "--count must be at least 1"},
        {{"-o", "pretty"}, "-o must be short, verbose, cat or json, not \"pretty\""},
        {{"--types=a,,b"}, "--types is a list like message.received,peer.online"},
        {{"--since=monday"},
         "--since must be a time like \"2026-11-22 19:51:03\", today, yesterday or -1h, not "
         "\"monday\""},
        {{"alice", "--count=x"}, "--count must be a number, not \"x\""},
    };
    char expected[160];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        const char *const *a = CASES[i].arguments;
        snprintf(expected, sizeof expected, "p2pchatctl: %s (see: p2pchatctl help follow)\n",
                 CASES[i].err);
        expect(rig_run("follow", a[0], a[1], a[2], a[3], NULL), 64, "", expected);
    }
}

/* --- wait-online ------------------------------------------------------------------------------ */

#define ONLINE      "{\"types\":[\"peer.online\"]}"
#define PEERS(link) "{\"result\":{\"peers\":[{\"name\":\"a\",\"link\":\"" link "\"}]}}"

static void test_wait_online_is_done_when_one_is_online_already(void **state)
{
    (void)state;
    follow_step(ONLINE, FROM("1"));
    rig_step("peer.list", "{}", PEERS("online"));
    expect(rig_run("wait-online", NULL), 0, "", "");
}

static void test_wait_online_waits_for_the_event(void **state)
{
    (void)state;
    follow_step("{\"types\":[\"peer.online\"],\"peers\":[\"a\"]}", FROM("1"));
    rig_step("peer.get", "{\"name\":\"a\"}", "{\"result\":{\"link\":\"backoff\"}}");
    rig_push(LIVE("1"));
    rig_push(EVENT("1", "peer.online", "\"peer\":\"a\""));
    expect(rig_run("wait-online", "a", NULL), 0, "", "");
}

/* The event overtakes the reply to the check. */
static void test_wait_online_misses_no_event_between_its_two_requests(void **state)
{
    (void)state;
    follow_step(ONLINE, FROM("1"));
    rig_step("peer.list", "{}", EVENT("1", "peer.online", "\"peer\":\"a\""));
    rig_push(PEERS("handshake"));
    expect(rig_run("wait-online", "--timeout=1", NULL), 0, "", "");
}

static void test_wait_online_looks_again_after_a_restart(void **state)
{
    (void)state;
    follow_step(ONLINE, FROM("1"));
    rig_step("peer.list", "{}", PEERS("offline"));
    rig_lose(0);
    rig_step("hello", "{}", HELLO("e1"));
    rig_step("follow", "{\"types\":[\"peer.online\"],\"after\":1" FROM_PAST "}", FROM("1"));
    rig_step("peer.list", "{}", PEERS("online"));
    expect(rig_run("wait-online", "-q", NULL), 0, "", "");
}

static void test_wait_online_waits_for_a_daemon_that_goes_away_as_it_looks(void **state)
{
    (void)state;
    follow_step(ONLINE, FROM("1"));
    rig_step("peer.list", "{}", NULL);
    rig_lose(1);
    rig_step("hello", "{}", HELLO("e1"));
    rig_step("follow", "{\"types\":[\"peer.online\"],\"after\":1" FROM_PAST "}", FROM("1"));
    rig_step("peer.list", "{}", PEERS("online"));
    expect(rig_run("wait-online", "-q", NULL), 0, "", "");
}

static void test_wait_online_tells_of_a_timeout(void **state)
{
    (void)state;
    follow_step(ONLINE, FROM("1"));
    rig_step("peer.list", "{}", PEERS("offline"));
    expect(rig_run("wait-online", "--timeout=3", NULL), 75, "",
           "p2pchatctl: no peer is online in time\n");
}

static void test_wait_online_does_not_wait_for_nobody(void **state)
{
    (void)state;
    follow_step(ONLINE, FROM("1"));
    rig_step("peer.list", "{}", "{\"result\":{\"peers\":[]}}");
    expect(rig_run("wait-online", NULL), 67, "", "p2pchatctl: there is no peer to wait for\n");
}

#define RIG_TEST(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_it_begins_now_with_received_messages),
        RIG_TEST(test_every_option_reaches_the_daemon),
        RIG_TEST(test_the_end_of_the_backlog_is_for_programs_that_ask),
        RIG_TEST(test_no_follow_ends_with_the_backlog),
        RIG_TEST(test_a_timeout_is_a_failure_only_for_who_counts),
        RIG_TEST(test_it_resumes_after_the_last_event_it_has_seen),
        RIG_TEST(test_it_resumes_where_it_began_when_nothing_came),
        RIG_TEST(test_it_goes_on_where_the_past_of_another_store_parts),
        RIG_TEST(test_the_first_connection_must_work),
        RIG_TEST(test_it_waits_for_a_daemon_that_goes_away_before_it_has_subscribed),
        RIG_TEST(test_it_does_not_wait_for_a_daemon_beyond_its_timeout),
        RIG_TEST(test_a_gap_is_never_silent),
        RIG_TEST(test_the_daemons_refusal_is_the_exit_status),
        RIG_TEST(test_wrong_command_lines_are_told),
        RIG_TEST(test_wait_online_is_done_when_one_is_online_already),
        RIG_TEST(test_wait_online_waits_for_the_event),
        RIG_TEST(test_wait_online_misses_no_event_between_its_two_requests),
        RIG_TEST(test_wait_online_looks_again_after_a_restart),
        RIG_TEST(test_wait_online_waits_for_a_daemon_that_goes_away_as_it_looks),
        RIG_TEST(test_wait_online_tells_of_a_timeout),
        RIG_TEST(test_wait_online_does_not_wait_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
