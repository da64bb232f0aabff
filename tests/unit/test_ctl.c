/* SPDX-License-Identifier: ISC */
/*
 * Tests client/ctl: what is said when there is no daemon, and the options that every verb has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/ctl_rig.h"

static void test_the_message_names_socket_reason_and_remedy(void **state)
{
    static const struct {
        const char *path;
        int error;
        const char *err;
    } cases[] = {
        {RUNSTATEDIR "/p2pchat/control.sock", ENOENT,
         "No such file or directory (start it: systemctl start p2pchatd; if it runs, its socket "
         "was "
         "deleted: systemctl restart p2pchatd.socket)"},
        {"/run/user/1/p2pchat/control.sock", ECONNREFUSED,
         "Connection refused (start it: systemctl --user start p2pchatd)"},
        {"/my/socket", ENOENT,
         "No such file or directory (start it: p2pchatd --state-dir ITS-STATE-DIRECTORY --control "
         "/my/socket)"},
        {"/run/user/1/my socket", ENOENT,
         "No such file or directory (start it: p2pchatd --state-dir ITS-STATE-DIRECTORY --control "
         "'/run/user/1/my socket')"},
        {RUNSTATEDIR "/p2pchat/control.sock", EACCES,
         "Permission denied (be root, or a member of the group p2pchat)"},
        {"/my/socket", EACCES, "Permission denied (it belongs to another user)"},
    };
    char expected[256];

    (void)state;
    setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        rig_refuse(1, cases[i].error);
        assert_int_equal(rig_run("status", "-s", cases[i].path, NULL), 69);
        snprintf(expected, sizeof expected, "p2pchatctl: can't reach the daemon at %s: %s\n",
                 cases[i].path, cases[i].err);
        assert_string_equal(rig_err, expected);
        assert_string_equal(rig_out, "");
    }
    unsetenv("XDG_RUNTIME_DIR");
}

static void test_every_verb_that_needs_the_daemon_ends_with_69_without_it(void **state)
{
    static const char *const cases[][3] = {
        {"send", "x"},    {"follow"}, {"history"},       {"fingerprint"},     {"status"},
        {"peer", "list"}, {"queue"},  {"rpc", "status"}, {"send", "--lines"}, {"wait-online"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        rig_refuse(1, ECONNREFUSED);
        assert_int_equal(rig_run(cases[i][0], cases[i][1], NULL), 69);
        rig_refuse(1, ECONNREFUSED);
        assert_int_equal(rig_run(cases[i][0], "--json", cases[i][1], NULL), 69);
        const char start[] = "{\"error\":{\"code\":-69,\"kind\":\"unreachable\",\"message\":";
        assert_memory_equal(rig_err, start, strlen(start));
        assert_string_equal(rig_out, "");
    }
}

static void test_a_lost_connection_is_69_too(void **state)
{
    (void)state;
    rig_step("status", "{}", NULL);
    rig_lose(0);
    assert_int_equal(rig_run("status", NULL), 69);
    assert_string_equal(rig_err,
                        "p2pchatctl: the daemon closed the connection before it answered\n");
}

#define RIG_TEST(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_the_message_names_socket_reason_and_remedy),
        RIG_TEST(test_every_verb_that_needs_the_daemon_ends_with_69_without_it),
        RIG_TEST(test_a_lost_connection_is_69_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
