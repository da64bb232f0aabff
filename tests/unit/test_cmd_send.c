/* SPDX-License-Identifier: ISC */
/*
 * Tests p2pchatctl send: what is sent for which command line, what is printed, and the exit status.
 */
#include <string.h>

#include "client/outbox.h"
#include "unit/cmocka_all.h"
#include "unit/ctl_rig.h"

#define QUEUED \
    "{\"result\":{\"messages\":[{\"id\":\"m1\",\"seq\":1,\"peer\":\"a\",\"state\":\"queued\"}]}}"
#define QUEUED_TWICE                                                                            \
    "{\"result\":{\"messages\":[{\"id\":\"m1\",\"seq\":1,\"peer\":\"a\",\"state\":\"queued\"}," \
    "{\"id\":\"m2\",\"seq\":2,\"peer\":\"b\",\"state\":\"queued\"}]}}"
#define ERROR(code, kind, text)                                                         \
    "{\"error\":{\"code\":" code ",\"message\":\"" text "\",\"data\":{\"kind\":\"" kind \
    "\",\"retryable\":true}}}"
#define ID(number)       "\"client_id\":\"abababababababababababababababab-" number "\""
#define STATE(id, state) "{\"result\":{\"id\":\"" id "\",\"state\":\"" state "\"}}"

static void expect(int status, int expected_status, const char *out, const char *err)
{
    assert_string_equal(rig_err, err);
    assert_string_equal(rig_out, out);
    assert_int_equal(status, expected_status);
}

static void test_arguments_are_joined_by_spaces(void **state)
{
    (void)state;
    rig_step("message.send", "{\"body\":\"hello  wide world\"," ID("1") "}", QUEUED);
    expect(rig_run("send", "hello ", "wide", "world", NULL), 0, "m1\n", "");
}

#define BEHIND                                                                                  \
    " stands behind the text: write options before it, or -- before a text that has one (see: " \
    "p2pchatctl help send)\n"

static void test_options_end_at_the_text(void **state)
{
    (void)state;
    expect(rig_run("send", "-p", "a", "x", "-p", "b", NULL), 64, "", "p2pchatctl: -p" BEHIND);
    expect(rig_run("send", "x", "--json", NULL), 64, "", "p2pchatctl: --json" BEHIND);
    expect(rig_run("send", "x", "--wait=sent", NULL), 64, "", "p2pchatctl: --wait=sent" BEHIND);
    rig_step("message.send", "{\"body\":\"x --waiting -x --\"," ID("1") "}", QUEUED);
    expect(rig_run("send", "x", "--waiting", "-x", "--", NULL), 0, "m1\n", "");
    rig_step("message.send", "{\"body\":\"--json -\"," ID("1") "}", QUEUED);
    expect(rig_run("send", "--", "--json", "-", NULL), 0, "m1\n", "");
    rig_step("message.send", "{\"body\":\"x --wait\"," ID("1") "}", QUEUED);
    expect(rig_run("send", "--", "x", "--wait", NULL), 0, "m1\n", "");
}

static void test_a_state_that_is_not_joined_to_its_option_is_no_text(void **state)
{
    (void)state;
    expect(
        rig_run("send", "--wait", "delivered", "x", NULL), 64, "",
        "p2pchatctl: write --wait=delivered; or -- before a text that begins so (see: p2pchatctl "
        "help send)\n");
    rig_step("message.send", "{\"body\":\"sent\"," ID("1") "}", QUEUED);
    expect(rig_run("send", "sent", NULL), 0, "m1\n", "");
}

static void test_nobody_has_an_empty_name(void **state)
{
    (void)state;
    expect(rig_run("send", "-p", "", "x", NULL), 64, "",
           "p2pchatctl: -p needs a name; it is given an empty one (see: p2pchatctl help send)\n");
}

static void test_every_option_reaches_the_daemon(void **state)
{
    (void)state;
    rig_step("message.send",
             "{\"peers\":[\"a\",\"b\"],\"body\":\"x\",\"client_id\":\"c\",\"expires_s\":7200}",
             QUEUED_TWICE);
    expect(rig_run("send", "-p", "a", "--peer=b", "--client-id", "c", "--expires", "2h", "x", NULL),
           0, "m1\nm2\n", "");
    rig_step("message.send", "{\"body\":\"x\",\"expires_s\":2," ID("1") "}", QUEUED);
    expect(rig_run("send", "--expires=1.5", "x", NULL), 0, "m1\n", "");
}

static void test_input_is_one_message_without_its_last_newline(void **state)
{
    (void)state;
    rig_options.input = "two\nlines\n\n";
    rig_step("message.send", "{\"body\":\"two\\nlines\\n\"," ID("1") "}", QUEUED);
    expect(rig_run("send", NULL), 0, "m1\n", "");
    rig_step("message.send", "{\"body\":\"two\\nlines\\n\"," ID("1") "}", QUEUED);
    expect(rig_run("send", "-", NULL), 0, "m1\n", "");
}

static void test_what_can_not_be_a_message_is_refused_before_sending(void **state)
{
    static char long_text[65538];
    static const struct {
        const char *input;
        size_t size;
        const char *err;
    } CASES[] = {
        {"", 0, "p2pchatctl: an empty message can't be sent\n"},
        {"\n", 1, "p2pchatctl: an empty message can't be sent\n"},
        {"a\0b", 3, "p2pchatctl: not a text: byte 2 is NUL; to send data as it is: --binary\n"},
        {"a\xff", 2,
         "p2pchatctl: not a text: byte 2 is not UTF-8; to send data as it is: --binary\n"},
        {long_text, 65537,
         "p2pchatctl: too large: a message has at most 65536 bytes; send it in pieces\n"},
    };

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        rig_options.input = CASES[i].input;
        rig_options.input_size = CASES[i].size;
        expect(rig_run("send", NULL), 65, "", CASES[i].err);
    }
    expect(rig_run("send", "", NULL), 65, "", "p2pchatctl: an empty message can't be sent\n");
    expect(rig_run("send", "--json", "", NULL), 65, "",
           "{\"error\":{\"code\":-65,\"kind\":\"empty\","
           "\"message\":\"an empty message can't be sent\"}}\n");
}

static void test_wrong_command_lines_are_told(void **state)
{
    static const struct {
        const char *arguments[3];
        const char *err;
    } CASES[] = {
        {{"--bogus"}, "unknown option --bogus"},
        {{"-Z"}, "unknown option -Z"},
        {{"-p"}, "--peer needs a value"},
        {{"--lines=1"}, "--lines takes no value"},
        {{"--wait=never", "x"}, "--wait is for \"sent\" or \"delivered\", not \"never\""},
        {{"--timeout=3", "--lines"}, "--lines has a --timeout only with --wait"},
        {{"--timeout=soon", "x"},
         "--timeout must be seconds, or a number with ms, s, min, h, d or w, not \"soon\""},
        {{"--expires=0", "x"}, "--expires must be more than 0"},
        {{"--lines", "--client-id=c"}, "--client-id is for one message, not for --lines"},
        {{"--lines", "text"}, "--lines reads standard input, not arguments"},
    };
    char expected[160];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        const char *const *arguments = CASES[i].arguments;
        snprintf(expected, sizeof expected, "p2pchatctl: %s (see: p2pchatctl help send)\n",
                 CASES[i].err);
        expect(rig_run("send", arguments[0], arguments[1], arguments[2], NULL), 64, "", expected);
    }
}

static void test_the_daemons_refusal_is_the_exit_status(void **state)
{
    (void)state;
    rig_step("message.send", "{\"peers\":[\"x\"],\"body\":\"y\"," ID("1") "}",
             ERROR("-67", "no_such_peer", "no peer \\\"x\\\""));
    expect(rig_run("send", "-p", "x", "y", NULL), 67, "", "p2pchatctl: no peer \"x\"\n");
    rig_step("message.send", "{\"body\":\"y\"," ID("1") "}",
             ERROR("-75", "queue_full", "the queue is full"));
    expect(
        rig_run("send", "--json", "y", NULL), 75, "",
        "{\"error\":{\"code\":-75,\"kind\":\"queue_full\",\"message\":\"the queue is full\"}}\n");
}

static void test_json_is_a_line_for_each_recipient(void **state)
{
    (void)state;
    rig_step("message.send", "{\"body\":\"y\"," ID("1") "}", QUEUED_TWICE);
    expect(rig_run("send", "--json", "y", NULL), 0,
           "{\"id\":\"m1\",\"seq\":1,\"peer\":\"a\",\"state\":\"queued\"}\n"
           "{\"id\":\"m2\",\"seq\":2,\"peer\":\"b\",\"state\":\"queued\"}\n",
           "");
}

static void test_quiet_prints_the_id(void **state)
{
    (void)state;
    rig_step("message.send", "{\"body\":\"y\"," ID("1") "}", QUEUED);
    expect(rig_run("send", "-q", "y", NULL), 0, "m1\n", "");
}

static void test_wait_is_for_delivery_unless_told_otherwise(void **state)
{
    (void)state;
    rig_step("message.send", "{\"body\":\"y\"," ID("1") "}", QUEUED);
    rig_step("message.wait", "{\"id\":\"m1\",\"state\":\"delivered\"}", STATE("m1", "delivered"));
    expect(rig_run("send", "--wait", "y", NULL), 0, "m1\n", "");
    rig_step("message.send", "{\"body\":\"y\"," ID("1") "}", QUEUED);
    rig_step("message.wait", "{\"id\":\"m1\",\"state\":\"sent\",\"timeout_ms\":5000}",
             STATE("m1", "sent"));
    expect(rig_run("send", "--wait=sent", "--timeout", "5", "--json", "y", NULL), 0,
           "{\"id\":\"m1\",\"seq\":1,\"peer\":\"a\",\"state\":\"sent\"}\n", "");
}

static void test_one_of_two_in_time_is_a_failure(void **state)
{
    (void)state;
    rig_step("message.send", "{\"body\":\"y\"," ID("1") "}", QUEUED_TWICE);
    rig_step("message.wait", "{\"id\":\"m1\",\"state\":\"delivered\",\"timeout_ms\":1000}",
             ERROR("-75", "timeout", "not delivered in time"));
    rig_step("message.wait", "{\"id\":\"m2\",\"state\":\"delivered\",\"timeout_ms\":1000}",
             STATE("m2", "delivered"));
    expect(
        rig_run("send", "--wait", "--timeout=1", "--json", "y", NULL), 75,
        "{\"id\":\"m1\",\"seq\":1,\"peer\":\"a\",\"state\":\"queued\"}\n"
        "{\"id\":\"m2\",\"seq\":2,\"peer\":\"b\",\"state\":\"delivered\"}\n",
        "{\"error\":{\"code\":-75,\"kind\":\"timeout\",\"message\":\"not delivered in time\"}}\n");
}

static void test_a_daemon_that_does_not_answer_ends_the_wait_too(void **state)
{
    (void)state;
    rig_step("message.send", "{\"body\":\"y\"," ID("1") "}", QUEUED);
    rig_step("message.wait", "{\"id\":\"m1\",\"state\":\"delivered\",\"timeout_ms\":1000}", NULL);
    expect(rig_run("send", "--wait", "--timeout=1", "y", NULL), 75, "m1\n",
           "p2pchatctl: not delivered in time; it stays queued; why it waits: p2pchatctl doctor\n");
}

static void test_a_wait_survives_a_restart_of_the_daemon(void **state)
{
    (void)state;
    rig_step("message.send", "{\"body\":\"y\"," ID("1") "}", QUEUED);
    rig_step("message.wait", "{\"id\":\"m1\",\"state\":\"delivered\"}",
             ERROR("-75", "stopping", "the daemon is stopping"));
    rig_step("message.wait", "{\"id\":\"m1\",\"state\":\"delivered\"}", NULL);
    rig_lose(2);
    rig_step("message.wait", "{\"id\":\"m1\",\"state\":\"delivered\"}", STATE("m1", "delivered"));
    expect(rig_run("send", "-q", "--wait", "y", NULL), 0, "m1\n", "");
}

static void test_a_message_without_an_answer_is_sent_again_under_its_id(void **state)
{
    (void)state;
    rig_step("message.send", "{\"body\":\"y\"," ID("1") "}", NULL);
    rig_lose(2);
    rig_step("message.send", "{\"body\":\"y\"," ID("1") "}",
             ERROR("-75", "stopping", "the daemon is stopping"));
    rig_step("message.send", "{\"body\":\"y\"," ID("1") "}", QUEUED);
    expect(rig_run("send", "y", NULL), 0, "m1\n",
           "p2pchatctl: lost the connection to the daemon, waiting for it\n");
    rig_step("message.send", "{\"body\":\"y\",\"client_id\":\"c\"}", NULL);
    rig_lose(0);
    rig_step("message.send", "{\"body\":\"y\",\"client_id\":\"c\"}", QUEUED);
    expect(rig_run("send", "-q", "--client-id=c", "y", NULL), 0, "m1\n", "");
}

#define GONE "the daemon went away before it answered, and is not back (see: p2pchatctl doctor); "

static void test_a_loss_before_the_answer_is_not_taken_for_success(void **state)
{
    (void)state;
    rig_step("message.send", "{\"body\":\"y\",\"client_id\":\"c\"}", NULL);
    rig_lose(0);
    expect(rig_run("send", "-q", "--timeout=0", "--client-id=c", "y", NULL), 69, "",
           "p2pchatctl: " GONE "to repeat the message, and yet send it once: --client-id c\n");
    rig_options.input = "one\ntwo\n";
    rig_step("message.send", "{\"body\":\"one\"," ID("1") "}", NULL);
    rig_step("message.send", "{\"body\":\"two\"," ID("2") "}", NULL);
    rig_lose(0);
    expect(rig_run("send", "-q", "--wait", "--timeout=0", "--lines", NULL), 69, "",
           "p2pchatctl: " GONE "2 messages may have been accepted or not\n");
}

static void test_lines_are_messages_and_empty_ones_are_left_out(void **state)
{
    (void)state;
    rig_options.input = "one\n\n two \nlast";
    rig_step("message.send", "{\"peers\":[\"a\"],\"body\":\"one\"," ID("1") "}", QUEUED);
    rig_step("message.send", "{\"peers\":[\"a\"],\"body\":\" two \"," ID("2") "}", QUEUED);
    rig_step("message.send", "{\"peers\":[\"a\"],\"body\":\"last\"," ID("3") "}", QUEUED);
    expect(rig_run("send", "--lines", "-p", "a", NULL), 0, "m1\nm1\nm1\n", "");
}

static void test_a_bad_line_is_told_and_the_others_are_sent(void **state)
{
    (void)state;
    rig_options.input = "one\n\xff\nlast\n";
    rig_step("message.send", "{\"body\":\"one\"," ID("1") "}", QUEUED);
    rig_step("message.send", "{\"body\":\"last\"," ID("2") "}", QUEUED);
    expect(rig_run("send", "--lines", NULL), 65, "m1\nm1\n",
           "p2pchatctl: line 2: not a text: byte 1 is not UTF-8; data can be sent as text with "
           "base64(1)\n");
}

static void test_lines_stop_when_the_daemon_refuses_one(void **state)
{
    enum { LINES = 2 * OUTBOX_WINDOW };
    char input[4 * LINES + 1] = "", params[128];
    (void)state;
    for (int i = 0; i < LINES; i++)
        memcpy(&input[4 * i], "xyz\n", 4);
    rig_options.input = input;
    /* A window of them is on its way before the first answer is read. */
    for (int i = 1; i <= OUTBOX_WINDOW; i++) {
        snprintf(params, sizeof params, "{\"body\":\"xyz\"," ID("%d") "}", i);
        rig_step("message.send", params,
                 i == 1 ? ERROR("-75", "queue_full", "full") : ERROR("-73", "disk_full", "later"));
    }
    const int status = rig_run("send", "--lines", NULL);
    assert_int_equal(status, 75);
    assert_string_equal(rig_out, "");
}

static void test_lines_without_an_answer_are_sent_again_under_their_ids(void **state)
{
    (void)state;
    rig_options.input = "one\ntwo\nthree\n";
    rig_step("message.send", "{\"body\":\"one\"," ID("1") "}", QUEUED);
    rig_step("message.send", "{\"body\":\"two\"," ID("2") "}",
             ERROR("-75", "stopping", "the daemon is stopping"));
    rig_step("message.send", "{\"body\":\"three\"," ID("3") "}", NULL);
    rig_step("message.send", "{\"body\":\"two\"," ID("2") "}", NULL);
    rig_step("message.send", "{\"body\":\"three\"," ID("3") "}", NULL);
    rig_lose(3);
    rig_step("message.send", "{\"body\":\"two\"," ID("2") "}", QUEUED);
    rig_step("message.send", "{\"body\":\"three\"," ID("3") "}", QUEUED);
    expect(rig_run("send", "--lines", "-q", "--json", NULL), 0,
           "{\"id\":\"m1\",\"seq\":1,\"peer\":\"a\",\"state\":\"queued\"}\n"
           "{\"id\":\"m1\",\"seq\":1,\"peer\":\"a\",\"state\":\"queued\"}\n"
           "{\"id\":\"m1\",\"seq\":1,\"peer\":\"a\",\"state\":\"queued\"}\n",
           "");
}

#define RIG_TEST(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_arguments_are_joined_by_spaces),
        RIG_TEST(test_options_end_at_the_text),
        RIG_TEST(test_a_state_that_is_not_joined_to_its_option_is_no_text),
        RIG_TEST(test_nobody_has_an_empty_name),
        RIG_TEST(test_every_option_reaches_the_daemon),
        RIG_TEST(test_input_is_one_message_without_its_last_newline),
        RIG_TEST(test_what_can_not_be_a_message_is_refused_before_sending),
        RIG_TEST(test_wrong_command_lines_are_told),
        RIG_TEST(test_the_daemons_refusal_is_the_exit_status),
        RIG_TEST(test_json_is_a_line_for_each_recipient),
        RIG_TEST(test_quiet_prints_the_id),
        RIG_TEST(test_wait_is_for_delivery_unless_told_otherwise),
        RIG_TEST(test_one_of_two_in_time_is_a_failure),
        RIG_TEST(test_a_daemon_that_does_not_answer_ends_the_wait_too),
        RIG_TEST(test_a_wait_survives_a_restart_of_the_daemon),
        RIG_TEST(test_a_message_without_an_answer_is_sent_again_under_its_id),
        RIG_TEST(test_a_loss_before_the_answer_is_not_taken_for_success),
        RIG_TEST(test_lines_are_messages_and_empty_ones_are_left_out),
        RIG_TEST(test_a_bad_line_is_told_and_the_others_are_sent),
        RIG_TEST(test_lines_without_an_answer_are_sent_again_under_their_ids),
        RIG_TEST(test_lines_stop_when_the_daemon_refuses_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
