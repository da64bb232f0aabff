/* SPDX-License-Identifier: ISC */
/*
 * Tests p2pchatctl peer: the request of each command, and what people and programs see.
 */
#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/ctl_rig.h"

#define OK "{\"result\":{\"ok\":1}}"

static void expect(int status, int expected_status, const char *out, const char *err)
{
    assert_string_equal(rig_err, err);
    assert_string_equal(rig_out, out);
    assert_int_equal(status, expected_status);
}

static void test_each_command_makes_its_request(void **state)
{
    static const struct {
        const char *arguments[6];
        const char *method, *params;
        const char *out;
    } CASES[] = {
        {{"add", "a", "h1", "[::1]:2", "--fingerprint", "SHA256:x"},
         "peer.add",
         "{\"name\":\"a\",\"address\":[\"h1\",\"[::1]:2\"],\"fingerprint\":\"SHA256:x\"}",
         "a is known now\n"},
        {{"add", "a", "h"},
         "peer.add",
         "{\"name\":\"a\",\"address\":[\"h\"]}",
         "a is known now; its key is pinned at first contact\n"},
        {{"--fingerprint=SHA256:x", "add", "a"},
         "peer.add",
         "{\"name\":\"a\",\"address\":[],\"fingerprint\":\"SHA256:x\"}",
         "a is known now\n"},
        {{"rename", "a", "b"},
         "peer.rename",
         "{\"name\":\"a\",\"to\":\"b\"}",
         "b is its name now\n"},
        {{"set", "a", "h1", "h2"},
         "peer.set",
         "{\"name\":\"a\",\"address\":[\"h1\",\"h2\"]}",
         "a has other addresses now\n"},
        {{"add", "a", "h", "--fingerprint=SHA256:x", "--require-pq=yes"},
         "peer.add",
         "{\"name\":\"a\",\"address\":[\"h\"],\"fingerprint\":\"SHA256:x\",\"require_pq\":true}",
         "a is known now\n"},
        {{"set", "a", "--require-pq=yes"},
         "peer.set",
         "{\"name\":\"a\",\"require_pq\":true}",
         "a has to speak a post-quantum suite now\n"},
        {{"set", "a", "--require-pq=no"},
         "peer.set",
         "{\"name\":\"a\",\"require_pq\":false}",
         "a may speak any suite now\n"},
        {{"remove", "a"}, "peer.remove", "{\"name\":\"a\"}", "a is forgotten\n"},
        {{"block", "a"}, "peer.block", "{\"name\":\"a\"}", "a is blocked\n"},
        {{"block", "SHA256:x"},
         "peer.block",
         "{\"fingerprint\":\"SHA256:x\"}",
         "SHA256:x is blocked\n"},
        {{"accept", "SHA256:x"},
         "peer.accept",
         "{\"fingerprint\":\"SHA256:x\"}",
         "SHA256:x is let in\n"},
        {{"accept", "SHA256:x", "a"},
         "peer.accept",
         "{\"name\":\"a\",\"fingerprint\":\"SHA256:x\"}",
         "a is let in\n"},
        {{"accept", "a", "SHA256:x"},
         "peer.accept",
         "{\"name\":\"a\",\"fingerprint\":\"SHA256:x\"}",
         "a is let in\n"},
        {{"reject", "SHA256:x"},
         "peer.reject",
         "{\"fingerprint\":\"SHA256:x\"}",
         "SHA256:x is turned away\n"},
        {{"connect", "a"}, "peer.connect", "{\"name\":\"a\"}", "a is being dialled\n"},
        {{"disconnect", "a"},
         "peer.disconnect",
         "{\"name\":\"a\"}",
         "a is disconnected until p2pchatctl peer connect\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        const char *const *a = CASES[i].arguments;
        rig_step(CASES[i].method, CASES[i].params, OK);
        expect(rig_run("peer", a[0], a[1], a[2], a[3], a[4], a[5], NULL), 0, CASES[i].out, "");
        rig_step(CASES[i].method, CASES[i].params, OK);
        expect(rig_run("peer", "-q", a[0], a[1], a[2], a[3], a[4], a[5], NULL), 0, "", "");
        rig_step(CASES[i].method, CASES[i].params, OK);
        expect(rig_run("peer", "--json", a[0], a[1], a[2], a[3], a[4], a[5], NULL), 0,
               "{\"ok\":1}\n", "");
    }
}

static void test_ping_tells_the_round_trip(void **state)
{
    (void)state;
    rig_step("peer.ping", "{\"name\":\"a\",\"timeout_ms\":1500}", "{\"result\":{\"rtt_ms\":12}}");
    expect(rig_run("peer", "ping", "a", "--timeout", "1.5", NULL), 0, "a answers in 12 ms\n", "");
    rig_step("peer.ping", "{\"name\":\"a\"}", "{\"result\":{\"rtt_ms\":12}}");
    expect(rig_run("peer", "ping", "a", "--json", NULL), 0, "{\"rtt_ms\":12}\n", "");
}

static void test_list_is_a_table(void **state)
{
    (void)state;
    rig_step("peer.list", "{}",
             "{\"result\":{\"peers\":["
             "{\"name\":\"alice\",\"link\":\"online\",\"trust\":\"verified\",\"queued\":0},"
             "{\"name\":\"b\",\"link\":\"backoff\",\"trust\":\"tofu\",\"queued\":12,"
             "\"addresses\":[\"h\"],"
             "\"last_error\":\"refused\\u001b[31m\"}]}}");
    expect(rig_run("peer", "list", NULL), 0,
           "PEER   LINK     TRUST     QUEUED  TROUBLE\n"
           "alice  online   verified  0       -\n"
           "b      backoff  tofu      12      refused^[[31m\n",
           "");
}

static void test_list_tells_what_to_do_when_there_is_none(void **state)
{
    (void)state;
    rig_step("peer.list", "{}", "{\"result\":{\"peers\":[]}}");
    expect(rig_run("peer", "list", NULL), 0, "",
           "p2pchatctl: no peers yet; pair with one, here: p2pchatctl invite NAME, and there: "
           "p2pchatctl "
           "join\n");
    rig_step("peer.list", "{}", "{\"result\":{\"peers\":[]}}");
    expect(rig_run("peer", "list", "--json", NULL), 0, "", "");
}

static void test_show_tells_everything(void **state)
{
    (void)state;
    rig_step("peer.get", "{\"name\":\"a\"}",
             "{\"result\":{\"name\":\"a\",\"fingerprint\":\"SHA256:x\",\"trust\":\"tofu\","
             "\"addresses\":[\"h1:8766\",\"h2:1\"],\"link\":\"online\","
             "\"since\":\"2026-11-22T19:51:03Z\",\"rtt_ms\":3,\"queued\":1,"
             "\"features\":[\"headers\",\"streams\"],"
             "\"safety_number\":\"1 2\"}}");
    expect(rig_run("peer", "show", "a", NULL), 0,
           "name           a\n"
           "fingerprint    SHA256:x\n"
           "trust          tofu\n"
           "safety number  1 2\n"
           "addresses      h1:8766\n"
           "               h2:1\n"
           "link           online since 2026-11-22 19:51:03\n"
           "can do         headers, streams\n"
           "round trip     3 ms\n"
           "queued         1\n",
           "");
    rig_step("peer.get", "{\"name\":\"a\"}",
             "{\"result\":{\"name\":\"a\",\"trust\":\"unpinned\",\"addresses\":[],"
             "\"link\":\"offline\",\"queued\":0}}");
    expect(rig_run("peer", "show", "a", NULL), 0,
           "name           a\n"
           "fingerprint    not known before first contact\n"
           "trust          unpinned\n"
           "link           offline\n"
           "trouble        no address, so it has to dial us\n"
           "what to do     let it dial us, or tell where it is: p2pchatctl peer set a ADDRESS\n"
           "queued         0\n",
           "");
}

#define FAILED "\"error\":\"no route\",\"time\":\"2026-11-22T19:51:03Z\""

static void test_show_tells_when_each_address_was_tried_in_vain(void **state)
{
    (void)state;
    rig_step("peer.get", "{\"name\":\"a\"}",
             "{\"result\":{\"name\":\"a\",\"trust\":\"blocked\",\"addresses\":[\"h1:1\",\"h2:2\"],"
             "\"link\":\"offline\",\"queued\":0,\"last_error\":\"h2:2: no route\","
             "\"attempts\":[{\"address\":\"h1:1\"," FAILED "},{\"address\":\"h2:2\"," FAILED
             "}]}}");
    expect(rig_run("peer", "show", "a", NULL), 0,
           "name           a\n"
           "fingerprint    not known before first contact\n"
           "trust          blocked\n"
           "addresses      h1:1\n"
           "               h2:2\n"
           "link           offline\n"
           "trouble        blocked: its key is refused\n"
           "what to do     to let it in again: p2pchatctl peer unblock a\n"
           "last tries     2026-11-22 19:51:03 h1:1: no route\n"
           "               2026-11-22 19:51:03 h2:2: no route\n"
           "queued         0\n",
           "");
}

#define UNBLOCKED "{\"result\":{\"name\":\"a\",\"trust\":\"tofu\"}}"

static void test_unblock_tells_what_is_left_of_the_trust(void **state)
{
    (void)state;
    rig_step("peer.unblock", "{\"name\":\"a\"}", UNBLOCKED);
    expect(rig_run("peer", "unblock", "a", NULL), 0, "a is not blocked; its trust is tofu\n", "");
    rig_step("peer.unblock", "{\"name\":\"a\"}", UNBLOCKED);
    expect(rig_run("peer", "-q", "unblock", "a", NULL), 0, "", "");
    rig_step("peer.unblock", "{\"name\":\"a\"}", UNBLOCKED);
    expect(rig_run("peer", "--json", "unblock", "a", NULL), 0,
           "{\"name\":\"a\",\"trust\":\"tofu\"}\n", "");
}

static void test_requests_tell_how_to_accept(void **state)
{
    (void)state;
    rig_step("peer.requests", "{}",
             "{\"result\":{\"requests\":[{\"fingerprint\":\"SHA256:x\",\"address\":\"h:1\","
             "\"since\":\"2026-11-22T19:51:03Z\",\"safety_number\":\"1 2\"}]}}");
    expect(rig_run("peer", "requests", NULL), 0,
           "SHA256:x from h:1 since 2026-11-22 19:51:03\n"
           "  safety number  1 2\n"
           "  let it in:     p2pchatctl peer accept SHA256:x --name NAME\n",
           "");
    rig_step("peer.requests", "{}", "{\"result\":{\"requests\":[]}}");
    expect(rig_run("peer", "requests", NULL), 0, "", "p2pchatctl: nobody asks to be let in\n");
}

static void test_wrong_command_lines_are_told(void **state)
{
    static const struct {
        const char *arguments[4];
        const char *err;
    } CASES[] = {
        {{NULL}, "which command?"},
        {{"bogus"}, "peer has no command \"bogus\""},
        {{"add"}, "an argument is missing"},
        {{"rename", "a"}, "an argument is missing"},
        {{"show", "a", "b"}, "too many arguments"},
        {{"list", "a"}, "too many arguments"},
        {{"show", "a", "--fingerprint=x"}, "--fingerprint belongs to peer add and peer accept"},
        {{"add", "a", "--timeout=1"}, "--timeout belongs to peer ping"},
        {{"show", "a", "--require-pq=yes"}, "--require-pq belongs to peer add and peer set"},
        {{"set", "a", "--require-pq=maybe"}, "--require-pq: say yes or no"},
        {{"set", "a"}, "say what to change: addresses, or --require-pq=yes or no"},
    };
    char expected[160];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        const char *const *a = CASES[i].arguments;
        snprintf(expected, sizeof expected, "p2pchatctl: %s (see: p2pchatctl help peer)\n",
                 CASES[i].err);
        expect(rig_run("peer", a[0], a[1], a[2], a[3], NULL), 64, "", expected);
    }
}

static void test_the_daemons_refusal_is_the_exit_status(void **state)
{
    (void)state;
    rig_step("peer.remove", "{\"name\":\"a\"}",
             "{\"error\":{\"code\":-77,\"message\":\"only for administrators\","
             "\"data\":{\"kind\":\"not_admin\"}}}");
    expect(rig_run("peer", "remove", "a", NULL), 77, "",
           "p2pchatctl: only for administrators: p2pchatctl peer remove a\n");
}

#define RIG_TEST(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_each_command_makes_its_request),
        RIG_TEST(test_ping_tells_the_round_trip),
        RIG_TEST(test_list_is_a_table),
        RIG_TEST(test_list_tells_what_to_do_when_there_is_none),
        RIG_TEST(test_show_tells_everything),
        RIG_TEST(test_show_tells_when_each_address_was_tried_in_vain),
        RIG_TEST(test_unblock_tells_what_is_left_of_the_trust),
        RIG_TEST(test_requests_tell_how_to_accept),
        RIG_TEST(test_wrong_command_lines_are_told),
        RIG_TEST(test_the_daemons_refusal_is_the_exit_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
