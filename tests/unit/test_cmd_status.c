/* SPDX-License-Identifier: ISC */
/*
 * Tests the verbs that only look: status, fingerprint, rpc, version and help.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/verb.h"
#include "rpc/rpc_method.h"
#include "unit/cmocka_all.h"
#include "unit/ctl_rig.h"

static void expect(int status, int expected_status, const char *out, const char *err)
{
    assert_string_equal(rig_err, err);
    assert_string_equal(rig_out, out);
    assert_int_equal(status, expected_status);
}

#define STATUS(uptime, listeners, peers, requests)                                         \
    "{\"result\":{\"version\":\"9\",\"uptime_s\":" uptime ",\"fingerprint\":\"SHA256:x\"," \
    "\"listeners\":[" listeners "],\"peers\":[" peers "],"                                 \
    "\"queue\":{\"messages\":1,\"bytes\":1023},"                                           \
    "\"store\":{\"messages\":20,\"bytes\":1536,\"free_bytes\":21474836480},"               \
    "\"followers\":[{},{}],\"requests\":" requests "}}"

static void test_status_is_an_overview(void **state)
{
    (void)state;
    rig_step("status", "{}",
             STATUS("187261",
                    "{\"address\":\"::\",\"port\":8766},{\"address\":\"192.0.2.1\","
                    "\"port\":1}",
                    "{\"name\":\"a\",\"link\":\"online\",\"trust\":\"tofu\",\"queued\":1}", "2"));
    expect(rig_run("status", NULL), 0,
           "p2pchatd 9, up 2 d 4 h\n"
           "  fingerprint  SHA256:x\n"
           "  listens on   [::]:8766\n"
           "               192.0.2.1:1\n"
           "  queue        1 message, 1023 B\n"
           "  store        20 messages, 1.5 KiB; 20.0 GiB free on its disk\n"
           "  followers    2\n"
           "  requests     2 waiting for a yes (see: p2pchatctl peer requests)\n"
           "\n"
           "PEER  LINK    TRUST  QUEUED  TROUBLE\n"
           "a     online  tofu   1       -\n",
           "");
}

#define PEER(name) "{\"name\":\"" name "\",\"link\":\"online\",\"trust\":\"tofu\",\"queued\":1}"

static void test_status_has_all_peers_however_many_replies_that_takes(void **state)
{
    (void)state;
    rig_step("status", "{}", "{\"result\":{\"peers\":[" PEER("a") "],\"peers_after\":7}}");
    rig_step("peer.list", "{\"after\":7}", "{\"result\":{\"peers\":[" PEER("b") "],\"after\":9}}");
    rig_step("peer.list", "{\"after\":9}", "{\"result\":{\"peers\":[" PEER("c") "]}}");
    expect(rig_run("status", "--json", NULL), 0,
           "{\"peers\":[" PEER("a") "," PEER("b") "," PEER("c") "]}\n", "");
}

/* A daemon that leads nowhere is not followed. */
static void test_a_list_that_does_not_go_on_ends(void **state)
{
    (void)state;
    rig_step("status", "{}", "{\"result\":{\"peers\":[" PEER("a") "],\"peers_after\":7}}");
    rig_step("peer.list", "{\"after\":7}", "{\"result\":{\"peers\":[],\"after\":7}}");
    assert_int_equal(rig_run("status", "--json", NULL), 0);
}

static void test_status_without_peers_tells_the_next_step(void **state)
{
    (void)state;
    rig_step("status", "{}", STATUS("59", "", "", "0"));
    expect(rig_run("status", NULL), 0,
           "p2pchatd 9, up 59 s\n"
           "  fingerprint  SHA256:x\n"
           "  listens on   nothing: peers can't reach this daemon\n"
           "  queue        1 message, 1023 B\n"
           "  store        20 messages, 1.5 KiB; 20.0 GiB free on its disk\n"
           "  followers    2\n"
           "\n"
           "No peers yet. Make an invite, and give it to the other side:\n"
           "  p2pchatctl invite NAME\n"
           "Or take up the one that the other side has made:\n"
           "  p2pchatctl join 'p2pchat://...' NAME\n",
           "");
}

static void test_status_in_json_is_the_object(void **state)
{
    (void)state;
    rig_step("status", "{}", "{\"result\":{\"version\":\"9\",\"new\":[]}}");
    expect(rig_run("status", "--json", NULL), 0, "{\"version\":\"9\",\"new\":[]}\n", "");
}

static void test_status_leaves_out_what_is_not_known(void **state)
{
    (void)state;
    rig_step("status", "{}", "{\"result\":{\"version\":\"9\",\"peers\":[{\"name\":\"a\"}]}}");
    assert_int_equal(rig_run("status", NULL), 0);
    assert_non_null(strstr(rig_out, "  store        0 messages, 0 B\n"));
}

static void test_only_the_head_of_a_table_is_coloured(void **state)
{
    (void)state;
    rig_options.colour = true;
    rig_step("peer.list", "{}", "{\"result\":{\"peers\":[{\"name\":\"a\",\"link\":\"online\"}]}}");
    expect(rig_run("peer", "list", NULL), 0,
           "\033[1mPEER  LINK    TRUST  QUEUED  TROUBLE\n\033[0m"
           "a     online  ?      0       -\n",
           "");
}

#define OWN "{\"result\":{\"fingerprint\":\"SHA256:own\",\"bits\":2048}}"

static void test_fingerprint_is_one_line(void **state)
{
    (void)state;
    rig_step("identity.get", "{}", OWN);
    expect(rig_run("fingerprint", NULL), 0, "SHA256:own\n", "");
}

static void test_fingerprint_of_a_peer_comes_with_the_safety_number(void **state)
{
    (void)state;
    rig_step("identity.get", "{}", OWN);
    rig_step("peer.get", "{\"name\":\"al\"}",
             "{\"result\":{\"name\":\"al\",\"fingerprint\":\"SHA256:al\","
             "\"safety_number\":\"12345 67890\"}}");
    expect(rig_run("fingerprint", "al", NULL), 0,
           "own key        SHA256:own\n"
           "key of al      SHA256:al\n"
           "safety number  12345 67890\n",
           "");
    rig_step("identity.get", "{}", OWN);
    rig_step("peer.get", "{\"name\":\"al\"}", "{\"result\":{\"name\":\"al\"}}");
    expect(rig_run("fingerprint", "al", "--json", NULL), 0,
           "{\"fingerprint\":\"SHA256:own\",\"bits\":2048}\n{\"name\":\"al\"}\n", "");
}

static void test_fingerprint_of_a_peer_never_met_is_temporarily_unknown(void **state)
{
    (void)state;
    rig_step("identity.get", "{}", OWN);
    rig_step("peer.get", "{\"name\":\"al\"}", "{\"result\":{\"name\":\"al\"}}");
    expect(rig_run("fingerprint", "al", NULL), 75, "own key        SHA256:own\n",
           "p2pchatctl: the key of al is not known before the first contact\n");
}

static void test_rpc_passes_everything_through(void **state)
{
    (void)state;
    rig_step("no.such", "{\"a\":[1,null]}", "{\"result\":{\"b\":true}}");
    expect(rig_run("rpc", "no.such", "{\"a\":[1,null]}", NULL), 0, "{\"b\":true}\n", "");
    rig_step("no.such", "{}", "{\"error\":{\"code\":-32601,\"message\":\"no method\"}}");
    expect(rig_run("rpc", "no.such", NULL), 64, "", "p2pchatctl: no method\n");
}

static void test_rpc_refuses_what_is_not_json(void **state)
{
    (void)state;
    assert_int_equal(rig_run("rpc", "status", "{a:1}", NULL), 64);
    assert_string_equal(rig_out, "");
    assert_non_null(strstr(rig_err, "the parameters are not JSON"));
}

static void test_rpc_alone_lists_every_method(void **state)
{
    (void)state;
    assert_int_equal(rig_run("rpc", NULL), 0);
    for (size_t i = 0; i < rpc_method_count; i++) {
        assert_non_null(strstr(rig_out, rpc_methods[i].name));
        assert_non_null(strstr(rig_out, rpc_methods[i].help));
    }
    assert_int_equal(rig_run("rpc", "--json", NULL), 0);
    assert_non_null(strstr(rig_out, "{\"method\":\"peer.reject\",\"admin\":true,"
                                    "\"parameters\":\"fingerprint:string\",\"help\":"));
}

/* An error of each code that a reply can carry. */
static void test_the_code_of_an_error_decides_the_exit_status(void **state)
{
    static const struct {
        const char *error;
        int status;
        const char *err;
    } CASES[] = {
        {"{\"code\":-64,\"data\":{\"kind\":\"name_taken\"},\"message\":\"x\"}", 64,
         "{\"error\":{\"code\":-64,\"kind\":\"name_taken\",\"message\":\"x\"}}\n"},
        {"{\"code\":-32602,\"message\":\"x\"}", 64,
         "{\"error\":{\"code\":-64,\"kind\":\"usage\",\"message\":\"x\"}}\n"},
        {"{\"code\":-32700,\"message\":\"x\"}", 70,
         "{\"error\":{\"code\":-70,\"kind\":\"internal\",\"message\":\"x\"}}\n"},
        {"{\"code\":0,\"message\":\"x\"}", 70,
         "{\"error\":{\"code\":-70,\"kind\":\"internal\",\"message\":\"x\"}}\n"},
        {"{\"code\":-256,\"message\":\"x\"}", 70,
         "{\"error\":{\"code\":-70,\"kind\":\"internal\",\"message\":\"x\"}}\n"},
        {"{\"code\":-77,\"data\":{\"kind\":\"new\"},\"message\":\"\\u001b\\u202e\\n\"}", 77,
         "{\"error\":{\"code\":-77,\"kind\":\"new\",\"message\":\"^[<U+202E>^J\"}}\n"},
        {"{}", 70,
         "{\"error\":{\"code\":-70,\"kind\":\"internal\","
         "\"message\":\"the daemon refused without a reason\"}}\n"},
    };
    char reply[160];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        snprintf(reply, sizeof reply, "{\"error\":%s}", CASES[i].error);
        rig_step("x", "{}", reply);
        expect(rig_run("rpc", "--json", "x", NULL), CASES[i].status, "", CASES[i].err);
    }
}

static void test_an_answer_without_id_is_for_the_one_request(void **state)
{
    (void)state;
    rig_step("x", "{}", "{\"id\":null,\"error\":{\"code\":-32700,\"message\":\"not JSON\"}}");
    expect(rig_run("rpc", "x", NULL), 70, "", "p2pchatctl: not JSON\n");
}

#define HELLO_RESULT                                                                        \
    "{\"version\":\"9\",\"api\":{\"major\":2,\"minor\":3},\"protocol\":4,\"suites\":[1,2]," \
    "\"openssl\":\"3.5.0\"}"
#define HELLO "{\"result\":" HELLO_RESULT "}"

static void test_version(void **state)
{
    static const char own[] = "p2pchatctl " VERSION "\ncontrol interface 1.0\n";
    static const char json[] = "{\"version\":\"" VERSION
                               "\",\"api\":{\"major\":1,\"minor\":0},\"features\":[],\"daemon\":";
    char expected[512];
    (void)state;
    rig_refuse(2, ENOENT);
    expect(rig_run("version", NULL), 0, own, "");
    snprintf(expected, sizeof expected, "%snull}\n", json);
    expect(rig_run("version", "--json", NULL), 0, expected, "");

    rig_step("hello", "{}", HELLO);
    snprintf(expected, sizeof expected,
             "%sp2pchatd 9\ncontrol interface 2.3, protocol 4, suites 1 2, "
             "OpenSSL 3.5.0\n",
             own);
    expect(rig_run("version", NULL), 0, expected, "");
    rig_step("hello", "{}", HELLO);
    snprintf(expected, sizeof expected, "%s" HELLO_RESULT "}\n", json);
    expect(rig_run("version", "--json", NULL), 0, expected, "");
}

/* It may be one of a far version, or one that hangs. */
static void test_version_whatever_the_daemon_says(void **state)
{
    static const char own[] = "p2pchatctl " VERSION "\ncontrol interface 1.0\n";
    static const char *const answers[] = {
        NULL, "{\"error\":{\"code\":-32601,\"message\":\"no such method\"}}"};
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        rig_step("hello", "{}", answers[i]);
        expect(rig_run("version", NULL), 0, own, "");
    }
    rig_step("hello", "{}", "{\"result\":{\"version\":\"9\",\"suites\":\"all\"}}");
    char expected[256];
    snprintf(expected, sizeof expected,
             "%sp2pchatd 9\ncontrol interface 0.0, protocol 0, suites, OpenSSL ?\n", own);
    expect(rig_run("version", NULL), 0, expected, "");
}

static void test_help_knows_every_verb(void **state)
{
    static const char *const names[] = {
#define VERB(name, run, synopsis, summary, details) name,
#include "client/verbs.def"
#undef VERB
    };
    char line[64];
    (void)state;
    assert_int_equal(rig_run("help", NULL), 0);
    char *all = strdup(rig_out);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(line, sizeof line, "\n  %-12s ", names[i]);
        assert_non_null(strstr(all, line));
        assert_int_equal(rig_run("help", names[i], NULL), 0);
        snprintf(line, sizeof line, "Usage: p2pchatctl %s", names[i]);
        assert_memory_equal(rig_out, line, strlen(line));
        char *help = strdup(rig_out);
        assert_int_equal(rig_run(names[i], "--help", NULL), 0);
        assert_string_equal(rig_out, help);
        free(help);
    }
    free(all);
    expect(rig_run("help", "bogus", NULL), 64, "",
           "p2pchatctl: there is no verb \"bogus\" (see: p2pchatctl help)\n");
}

static void test_help_fits_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(rig_run("help", "peer", NULL), 0);
    for (char *line = rig_out, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        assert_true(end - line <= 80);
}

#define RIG_TEST(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_status_is_an_overview),
        RIG_TEST(test_status_has_all_peers_however_many_replies_that_takes),
        RIG_TEST(test_a_list_that_does_not_go_on_ends),
        RIG_TEST(test_status_without_peers_tells_the_next_step),
        RIG_TEST(test_status_in_json_is_the_object),
        RIG_TEST(test_status_leaves_out_what_is_not_known),
        RIG_TEST(test_only_the_head_of_a_table_is_coloured),
        RIG_TEST(test_fingerprint_is_one_line),
        RIG_TEST(test_fingerprint_of_a_peer_comes_with_the_safety_number),
        RIG_TEST(test_fingerprint_of_a_peer_never_met_is_temporarily_unknown),
        RIG_TEST(test_rpc_passes_everything_through),
        RIG_TEST(test_rpc_refuses_what_is_not_json),
        RIG_TEST(test_rpc_alone_lists_every_method),
        RIG_TEST(test_the_code_of_an_error_decides_the_exit_status),
        RIG_TEST(test_an_answer_without_id_is_for_the_one_request),
        RIG_TEST(test_version),
        RIG_TEST(test_version_whatever_the_daemon_says),
        RIG_TEST(test_help_knows_every_verb),
        RIG_TEST(test_help_fits_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
