/* SPDX-License-Identifier: ISC */
/*
 * Tests p2pchatctl history and queue: pages, filters, and what is printed.
 */
#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/ctl_rig.h"

static void expect(int status, int expected_status, const char *out, const char *err)
{
    assert_string_equal(rig_err, err);
    assert_string_equal(rig_out, out);
    assert_int_equal(status, expected_status);
}

/* A reply with the messages from seq `first` to `last`, whose text is their seq. */
static char *page(int first, int last)
{
    json_t *messages = json_array();
    for (int seq = first; seq <= last; seq++) {
        char body[16];
        snprintf(body, sizeof body, "%d", seq);
        json_array_append_new(messages, json_pack("{s:i,s:s,s:s,s:s}", "seq", seq, "peer", "a",
                                                  "direction", "in", "body", body));
    }
    json_t *reply = json_pack("{s:{s:o}}", "result", "messages", messages);
    char *text = json_dumps(reply, 0);
    json_decref(reply);
    return text;
}

static void page_step(const char *params, int first, int last)
{
    char *reply = page(first, last);
    rig_step("history.list", params, reply);
    free(reply);
}

static void test_one_page_is_enough_for_the_newest(void **state)
{
    (void)state;
    page_step("{\"limit\":3}", 41, 43);
    expect(rig_run("history", "-n", "3", "-o", "cat", NULL), 0, "41\n42\n43\n", "");
}

static void test_pages_are_joined_oldest_first(void **state)
{
    (void)state;
    page_step("{\"limit\":100}", 41, 43);
    page_step("{\"limit\":97,\"before\":41}", 39, 40);
    page_step("{\"limit\":95,\"before\":39}", 1, 0);
    expect(rig_run("history", "-o", "cat", NULL), 0, "39\n40\n41\n42\n43\n", "");
}

static void test_all_is_fetched_to_the_first(void **state)
{
    (void)state;
    page_step("{\"limit\":500}", 3, 4);
    page_step("{\"limit\":500,\"before\":3}", 1, 2);
    expect(rig_run("history", "-n", "all", "-o", "cat", NULL), 0, "1\n2\n3\n4\n", "");
}

static void test_none_are_asked_for(void **state)
{
    (void)state;
    expect(rig_run("history", "-n", "0", NULL), 0, "", "");
}

static void test_every_filter_reaches_the_daemon(void **state)
{
    (void)state;
    page_step("{\"peer\":\"a\",\"grep\":\"b c\",\"since\":\"2026-01-01T00:00:00.000Z\","
              "\"until\":\"2026-02-01T00:00:00.000Z\",\"limit\":1}",
              1, 1);
    expect(rig_run("history", "-p", "a", "-g", "b c", "--since=2026-01-01", "--until=2026-02-01",
                   "-n1", "--json", NULL),
           0, "{\"seq\":1,\"peer\":\"a\",\"direction\":\"in\",\"body\":\"1\"}\n", "");
}

static void test_a_refusal_on_a_later_page_prints_nothing(void **state)
{
    (void)state;
    page_step("{\"limit\":100}", 41, 43);
    rig_step("history.list", "{\"limit\":97,\"before\":41}",
             "{\"error\":{\"code\":-74,\"message\":\"bad disk\"}}");
    expect(rig_run("history", NULL), 74, "", "p2pchatctl: bad disk\n");
}

/* --- queue ------------------------------------------------------------------------------------ */

#define QUEUED                                                                        \
    "{\"result\":{\"messages\":["                                                     \
    "{\"id\":\"m1\",\"seq\":1,\"peer\":\"a\",\"state\":\"sent\",\"body\":\"x\\ny\"}," \
    "{\"id\":\"m2\",\"seq\":2,\"peer\":\"\\u00e4b\\u001b\",\"state\":\"queued\","     \
    "\"time\":\"2026-11-22T19:51:03Z\","                                              \
    "\"body\":\"1234567890123456789012345678901234567890+\"}]}}"

static void test_the_queue_is_a_table(void **state)
{
    (void)state;
    rig_step("history.list", "{\"queued\":true,\"limit\":500}", QUEUED);
    expect(
        rig_run("queue", NULL), 0,
        "ID  PEER  STATE   TIME                 TEXT\n"
        "m1  a     sent    -                    x...\n"
        "m2  \u00e4b^[  queued  2026-11-22 19:51:03  1234567890123456789012345678901234567890...\n",
        "");
}

static void test_the_queue_in_json_is_a_message_per_line(void **state)
{
    (void)state;
    rig_step("history.list", "{\"queued\":true,\"limit\":500}",
             "{\"result\":{\"messages\":[{\"id\":\"m1\",\"seq\":1}]}}");
    expect(rig_run("queue", "list", "--json", NULL), 0, "{\"id\":\"m1\",\"seq\":1}\n", "");
}

static void test_an_empty_queue_is_a_note(void **state)
{
    (void)state;
    rig_step("history.list", "{\"queued\":true,\"limit\":500}", "{\"result\":{\"messages\":[]}}");
    expect(rig_run("queue", NULL), 0, "", "p2pchatctl: the queue is empty\n");
}

static void test_cancel_stops_at_the_first_failure(void **state)
{
    (void)state;
    rig_step("message.cancel", "{\"id\":\"m1\"}", "{\"result\":{\"id\":\"m1\"}}");
    rig_step("message.cancel", "{\"id\":\"m2\"}",
             "{\"error\":{\"code\":-67,\"message\":\"no m2\"}}");
    expect(rig_run("queue", "cancel", "m1", "m2", "m3", NULL), 67, "m1 is cancelled\n",
           "p2pchatctl: no m2\n");
}

static void test_wrong_commands_are_told(void **state)
{
    (void)state;
    expect(rig_run("queue", "drop", NULL), 64, "",
           "p2pchatctl: queue has no command \"drop\" (see: p2pchatctl help queue)\n");
    expect(rig_run("queue", "cancel", NULL), 64, "",
           "p2pchatctl: which message? (see: p2pchatctl help queue)\n");
    expect(rig_run("queue", "list", "x", NULL), 64, "",
           "p2pchatctl: too many arguments (see: p2pchatctl help queue)\n");
}

#define RIG_TEST(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_one_page_is_enough_for_the_newest),
        RIG_TEST(test_pages_are_joined_oldest_first),
        RIG_TEST(test_all_is_fetched_to_the_first),
        RIG_TEST(test_none_are_asked_for),
        RIG_TEST(test_every_filter_reaches_the_daemon),
        RIG_TEST(test_a_refusal_on_a_later_page_prints_nothing),
        RIG_TEST(test_the_queue_is_a_table),
        RIG_TEST(test_the_queue_in_json_is_a_message_per_line),
        RIG_TEST(test_an_empty_queue_is_a_note),
        RIG_TEST(test_cancel_stops_at_the_first_failure),
        RIG_TEST(test_wrong_commands_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
