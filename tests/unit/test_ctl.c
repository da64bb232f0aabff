/* SPDX-License-Identifier: ISC */
/*
 * Tests client/ctl: what is said when there is no daemon, and the options that every verb has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/cmocka_all.h"
#include "unit/ctl_rig.h"

#define SYSTEM RUNSTATEDIR "/p2pchat/control.sock"
#define USERS  "/run/user/1/p2pchat/control.sock"
#define MISSES "No such file or directory (start it: "

/* By socket, what connecting to it gives, and what the user and the machine are. */
static void test_the_message_names_socket_reason_and_remedy(void **state)
{
    static const struct rig_options root = {0}, user = {.not_root = true},
                                    by_hand = {.not_root = true, .without_systemd = true},
                                    stale = {.not_root = true, .standing = STANDING_STALE},
                                    inside = {.not_root = true, .standing = STANDING_INSIDE},
                                    no_users = {.not_root = true, .no_user_unit = true};
    static const struct {
        const struct rig_options *options;
        const char *path;
        int error;
        const char *err;
    } cases[] = {
        {&root, SYSTEM, ENOENT,
         MISSES "systemctl start p2pchatd; if it runs, its socket was deleted: systemctl restart "
                "p2pchatd.socket)"},
        {&user, SYSTEM, ENOENT,
         MISSES "sudo systemctl start p2pchatd; or one for you alone: systemctl --user start "
                "p2pchatd; if it runs, its socket was deleted: sudo systemctl restart "
                "p2pchatd.socket)"},
        {&no_users, SYSTEM, ENOENT,
         MISSES "sudo systemctl start p2pchatd; if it runs, its socket was deleted: sudo systemctl "
                "restart p2pchatd.socket)"},
        {&by_hand, SYSTEM, ENOENT, MISSES "sudo p2pchatd)"},
        {&user, SYSTEM, ECONNREFUSED,
         "Connection refused (start it: sudo systemctl start p2pchatd)"},
        {&user, USERS, ECONNREFUSED,
         "Connection refused (start it: systemctl --user start p2pchatd)"},
        {&user, USERS, ENOENT,
         MISSES "systemctl --user start p2pchatd; if it runs, its socket was deleted: systemctl "
                "--user restart p2pchatd.socket)"},
        {&by_hand, USERS, ECONNREFUSED, "Connection refused (start it: p2pchatd)"},
        {&user, "/my/socket", ENOENT,
         MISSES "p2pchatd --control /my/socket, with its --state-dir)"},
        {&user, "/run/user/1/my socket", ENOENT,
         MISSES "p2pchatd --control '/run/user/1/my socket', with its --state-dir)"},
        {&user, SYSTEM, EACCES,
         "Permission denied (it is for root and the group p2pchat; to join it: sudo usermod -aG "
         "p2pchat alice, then log in again)"},
        {&stale, SYSTEM, EACCES,
         "Permission denied (alice is in the group p2pchat, but was not when this session began: "
         "log in again, or type: newgrp p2pchat)"},
        {&inside, SYSTEM, EACCES,
         "Permission denied (it belongs to another user; root may: sudo p2pchatctl -s " SYSTEM
         " status)"},
        {&user, "/my/socket", EACCES,
         "Permission denied (it belongs to another user; root may: sudo p2pchatctl -s /my/socket "
         "status)"},
    };
    char expected[512];

    (void)state;
    setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        rig_options = *cases[i].options;
        rig_refuse(1, cases[i].error);
        assert_int_equal(rig_run("status", "-s", cases[i].path, NULL), 69);
        snprintf(expected, sizeof expected, "p2pchatctl: can't reach the daemon at %s: %s\n",
                 cases[i].path, cases[i].err);
        assert_string_equal(rig_err, expected);
        assert_string_equal(rig_out, "");
    }
    unsetenv("XDG_RUNTIME_DIR");
}

/* A daemon that was started by hand is started again as it was, if its store is found. */
static void test_a_private_daemon_is_started_with_its_own_state(void **state)
{
    static const char *const places[] = {"", "/chat", "/state"};
    char folder[] = "/tmp/test_ctl.XXXXXX", socket[64], directory[64], store[96], expected[512];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(socket, sizeof socket, "%s/chat.sock", folder);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        snprintf(directory, sizeof directory, "%s%s", folder, places[i]);
        snprintf(store, sizeof store, "%s/p2pchat.db", directory);
        mkdir(directory, 0700);
        fclose(fopen(store, "w"));
        rig_refuse(1, ECONNREFUSED);
        assert_int_equal(rig_run("status", "-s", socket, NULL), 69);
        snprintf(expected, sizeof expected, "(start it: p2pchatd --state-dir %s --control %s)\n",
                 directory, socket);
        assert_non_null(strstr(rig_err, expected));
        unlink(store);
        if (i > 0)
            rmdir(directory);
    }
    rmdir(folder);
}

static const char refusal[] =
    "{\"error\":{\"code\":-77,\"message\":\"invite.accept is for root and the daemon's own user\","
    "\"data\":{\"kind\":\"not_admin\"}}}";

/* Who is no administrator gets the line to type, without the secret in it. */
static void test_what_only_root_may_is_printed_as_a_command(void **state)
{
    static const char start[] = "p2pchatctl: invite.accept is for root and the daemon's own user: ";
    static const struct {
        const char *environment;
        const char *command;
    } cases[] = {
        {"", "sudo p2pchatctl join - 'two words'\n"},
        {"/my/socket", "sudo p2pchatctl -s /my/socket join - 'two words'\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        setenv("P2PCHAT_SOCKET", cases[i].environment, 1);
        char uri[] = "p2pchat://a/b#secret";
        rig_options = (struct rig_options){.not_root = true};
        rig_step("invite.accept",
                 "{\"uri\":\"p2pchat://a/b#secret\",\"name\":\"two words\",\"timeout_ms\":60000}",
                 refusal);
        assert_int_equal(rig_run("join", uri, "two words", NULL), 77);
        assert_memory_equal(rig_err, start, strlen(start));
        assert_string_equal(rig_err + strlen(start), cases[i].command);
    }
    unsetenv("P2PCHAT_SOCKET");
}

/* By an option it is not known to the shell, so what is to be typed has it, too. */
static void test_commands_name_the_socket_that_was_named(void **state)
{
    static const char no_peer[] =
        "{\"error\":{\"code\":-67,\"message\":\"no peer x; see: p2pchatctl peer list\","
        "\"data\":{\"kind\":\"no_such_peer\"}}}";
    (void)state;
    rig_step("peer.get", "{\"name\":\"x\"}", no_peer);
    assert_int_equal(rig_run("peer", "-s", "/a b", "show", "x", NULL), 67);
    assert_string_equal(rig_err, "p2pchatctl: no peer x; see: p2pchatctl -s '/a b' peer list\n");
    rig_step("peer.get", "{\"name\":\"x\"}", no_peer);
    assert_int_equal(rig_run("peer", "show", "x", NULL), 67);
    assert_string_equal(rig_err, "p2pchatctl: no peer x; see: p2pchatctl peer list\n");
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
        RIG_TEST(test_a_private_daemon_is_started_with_its_own_state),
        RIG_TEST(test_what_only_root_may_is_printed_as_a_command),
        RIG_TEST(test_commands_name_the_socket_that_was_named),
        RIG_TEST(test_every_verb_that_needs_the_daemon_ends_with_69_without_it),
        RIG_TEST(test_a_lost_connection_is_69_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
