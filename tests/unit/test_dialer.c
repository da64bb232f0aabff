/* SPDX-License-Identifier: ISC */
/*
 * Dialling one way: addresses and names.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit/cmocka_all.h"
#include "unit/dial_rig.h"

/* --- addresses -------------------------------------------------------------------------------- */

static void test_a_numeric_address_connects(void **state)
{
    struct call *call = *state;
    char expected[ADDRESS_TEXT_MAX];
    dial_and_wait(call, "127.0.0.1", call->port);
    assert_non_null(call->stream);
    snprintf(expected, sizeof(expected), "127.0.0.1:%u", (unsigned)call->port);
    assert_string_equal(stream_origin(call->stream)->text, expected);
}

static void test_a_refusal_is_told_after_the_start(void **state)
{
    struct call *call = *state;
    uint16_t port;
    const int fd = dead_port(&port);
    dial_and_wait(call, "127.0.0.1", port);
    assert_null(call->stream);
    assert_string_equal(call->errors[0], "Connection refused");
    close(fd);
}

static void test_an_immediate_failure_is_told_after_the_start(void **state)
{
    struct call *call = *state;
    /* A multicast address fails within connect(2). */
    dial_and_wait(call, "224.0.0.1", 1);
    assert_null(call->stream);
    assert_true(strlen(call->errors[0]) > 0);
}

static void test_an_interface_that_does_not_exist_is_told(void **state)
{
    struct call *call = *state;
    dial_and_wait(call, "fe80::1%nowhere", 1);
    assert_null(call->stream);
    assert_string_equal(call->errors[0], "this machine has no such interface");
}

/* --- names ------------------------------------------------------------------------------------ */

static void test_a_name_is_looked_up_at_the_name_server(void **state)
{
    struct call *call = *state;
    dial_and_wait(call, "here.test", call->port);
    assert_non_null(call->stream);
}

static void test_the_hosts_file_comes_first_and_is_read_anew(void **state)
{
    struct call *call = *state;
    write_hosts("127.0.0.1 nearby\n");
    dial_and_wait(call, "nearby", call->port);
    assert_non_null(call->stream);
    write_hosts("127.0.0.1 elsewhere\n");
    dial_and_wait(call, "nearby", call->port);
    assert_string_equal(call->errors[0], "host not found");
}

static void test_an_unknown_host_is_not_found(void **state)
{
    struct call *call = *state;
    dial_and_wait(call, "nowhere.test", call->port);
    assert_string_equal(call->errors[0], "host not found");
}

static void test_of_a_local_name_it_is_said_who_is_not_asked(void **state)
{
    struct call *call = *state;
    dial_and_wait(call, "printer.LOCAL", call->port);
    assert_non_null(strstr(call->errors[0], "not found in /etc/hosts or DNS"));
    assert_non_null(strstr(call->errors[0], "use its IP address"));
}

static void test_a_failing_name_server_is_told_apart(void **state)
{
    struct call *call = *state;
    dial_and_wait(call, "broken.test", call->port);
    assert_string_equal(call->errors[0], "no answer from the name server");
}

static void test_of_an_answer_that_is_cut_off_it_is_said_what_to_do(void **state)
{
    struct call *call = *state;
    dial_and_wait(call, "long.test", call->port);
    assert_non_null(strstr(call->errors[0], "too long for UDP"));
    assert_non_null(strstr(call->errors[0], "use an IP address"));
}

static bool count_down(void *context)
{
    unsigned *turns = context;
    return --*turns == 0;
}

/* At whatever moment: while it is asked, or while it is asked why it failed. */
static void test_a_look_up_that_fails_can_be_given_up(void **state)
{
    struct call *call = *state;
    for (unsigned count = 1; count <= 8; count++) {
        unsigned turns = count;
        dial(call, "long.test", call->port);
        loop_wake(call->rig.loop);
        rig_run_until(&call->rig, count_down, &turns);
        forget(call);
    }
    dial_and_wait(call, "here.test", call->port);
    assert_non_null(call->stream);
}

static void test_without_name_servers_the_error_says_so(void **state)
{
    struct call *call = *state;
    machine.name_server[0] = '\0';
    dial_and_wait(call, "here.test", call->port);
    assert_string_equal(call->errors[0], "no name server");
    write_hosts("127.0.0.1 nearby\n");
    dial_and_wait(call, "nearby", call->port);
    assert_non_null(call->stream);
}

static void test_odd_names_are_errors(void **state)
{
    struct call *call = *state;
    static const char *const names[] = {"", ".", "a..b", "127.0.0.1.", "::1::", "[::1]"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        dial_and_wait(call, names[i], 1);
        assert_null(call->stream);
        assert_true(strlen(call->errors[0]) > 0);
    }
}

/* --- several addresses, and patience ---------------------------------------------------------- */

static void test_a_refused_address_leads_to_the_next(void **state)
{
    struct call *call = *state;
    write_hosts("127.0.0.2 both\n127.0.0.1 both\n");
    dial_and_wait(call, "both", call->port);
    assert_non_null(call->stream);
}

static void test_a_dead_address_does_not_hold_up_the_next(void **state)
{
    struct call *call = *state;
    struct black_hole hole;
    const uint64_t began = loop_now(call->rig.loop);
    /* An address that no other test uses: the port is given. */
    black_hole_open(&hole, "127.77.0.2", &call->port);
    write_hosts("127.77.0.2 both\n127.0.0.1 both\n");
    dial_and_wait(call, "both", call->port);
    assert_non_null(call->stream);
    assert_true(loop_now(call->rig.loop) - began >= DIAL_STAGGER_MS);
    black_hole_close(&hole);
}

static void test_patience_ends_at_a_silent_peer_and_a_silent_name_server(void **state)
{
    struct call *call = *state;
    struct black_hole hole;
    uint64_t began = loop_now(call->rig.loop);
    uint16_t port = 0;
    black_hole_open(&hole, "127.0.0.1", &port);
    add_way(call, "127.0.0.1", port);
    add_way(call, "silent.test", port);
    start(call);
    wait_for(call);
    assert_true(call->over);
    assert_int_equal(call->failures, 2);
    assert_string_equal(call->errors[0], "Connection timed out");
    assert_string_equal(call->errors[1], "no answer from the name server");
    assert_true(loop_now(call->rig.loop) - began >= DIAL_CONNECT_MS - 100);
    black_hole_close(&hole);
}

/* --- giving up -------------------------------------------------------------------------------- */

static void test_a_dial_can_be_cancelled_after_any_number_of_turns(void **state)
{
    struct call *call = *state;
    static const char *const hosts[] = {"127.0.0.1",   "here.test",   "nowhere.test",
                                        "silent.test", "broken.test", "nearby"};
    write_hosts("127.0.0.1 nearby\n");
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
        for (unsigned ms = 0; ms < 10; ms++) {
            dial(call, hosts[i], call->port);
            if (ms > 0)
                rig_run_for(&call->rig, ms - 1);
            forget(call);
        }
    }
    dial_cancel(NULL);
}

static void test_a_cancelled_dial_never_calls_back(void **state)
{
    struct call *call = *state;
    dial(call, "here.test", call->port);
    dial(call, "127.0.0.1", call->port);
    forget(call);
    rig_run_for(&call->rig, 100);
    assert_int_equal(call->count, 0);
}

static void test_a_loop_can_end_right_after_a_cancelled_look_up(void **state)
{
    struct call *call = *state;
    dial(call, "silent.test", call->port);
    rig_run_for(&call->rig, 5);
    machine.name_server[0] = '\0';
    dial(call, "here.test", call->port);
    forget(call);
}

#define CALL(test) cmocka_unit_test_setup_teardown(test, dial_rig_setup, dial_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CALL(test_a_numeric_address_connects),
        CALL(test_a_refusal_is_told_after_the_start),
        CALL(test_an_immediate_failure_is_told_after_the_start),
        CALL(test_an_interface_that_does_not_exist_is_told),
        CALL(test_a_name_is_looked_up_at_the_name_server),
        CALL(test_the_hosts_file_comes_first_and_is_read_anew),
        CALL(test_an_unknown_host_is_not_found),
        CALL(test_of_a_local_name_it_is_said_who_is_not_asked),
        CALL(test_a_failing_name_server_is_told_apart),
        CALL(test_of_an_answer_that_is_cut_off_it_is_said_what_to_do),
        CALL(test_a_look_up_that_fails_can_be_given_up),
        CALL(test_without_name_servers_the_error_says_so),
        CALL(test_odd_names_are_errors),
        CALL(test_a_refused_address_leads_to_the_next),
        CALL(test_a_dead_address_does_not_hold_up_the_next),
        CALL(test_patience_ends_at_a_silent_peer_and_a_silent_name_server),
        CALL(test_a_dial_can_be_cancelled_after_any_number_of_turns),
        CALL(test_a_cancelled_dial_never_calls_back),
        CALL(test_a_loop_can_end_right_after_a_cancelled_look_up),
    };
    return cmocka_run_group_tests_name("dialer", tests, NULL, NULL);
}
