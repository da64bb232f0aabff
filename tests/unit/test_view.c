/* SPDX-License-Identifier: ISC */
/*
 * Tests client/view: how messages and events look, byte for byte.
 */
#include "client/view.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit/cmocka_all.h"

#define TIME "\"time\":\"2026-11-22T19:51:03.214Z\""

static void expect_short(view_short *append, const char *object, const char *text)
{
    json_t *value = json_loads(object, 0, NULL);
    struct bytes out = {0};
    assert_non_null(value);
    assert_int_equal(append(&out, value, false), 0);
    bytes_append_u8(&out, '\0');
    assert_string_equal((const char *)out.data, text);
    bytes_deinit(&out);
    json_decref(value);
}

static void test_a_message_is_time_peer_and_text(void **state)
{
    (void)state;
    expect_short(view_short_message,
                 "{" TIME ",\"peer\":\"alice\",\"direction\":\"in\",\"body\":\"hi\"}",
                 "2026-11-22 19:51:03 alice: hi");
    expect_short(view_short_message,
                 "{" TIME ",\"peer\":\"alice\",\"direction\":\"out\",\"state\":\"delivered\","
                 "\"body\":\"hi\"}",
                 "2026-11-22 19:51:03 -> alice: hi");
    expect_short(view_short_message,
                 "{" TIME ",\"peer\":\"alice\",\"direction\":\"out\",\"state\":\"queued\","
                 "\"body\":\"hi\"}",
                 "2026-11-22 19:51:03 -> alice (queued): hi");
}

static void test_times_are_local(void **state)
{
    (void)state;
    setenv("TZ", "XXX-2", 1);
    tzset();
    expect_short(view_short_message, "{" TIME ",\"peer\":\"a\",\"body\":\"x\"}",
                 "2026-11-22 21:51:03 a: x");
    setenv("TZ", "UTC", 1);
    tzset();
}

static void test_further_lines_are_indented_below_the_text(void **state)
{
    (void)state;
    expect_short(view_short_message, "{" TIME ",\"peer\":\"\u00e4\",\"body\":\"a\\nb\\n\\nc\\n\"}",
                 "2026-11-22 19:51:03 \u00e4: a\n"
                 "                       b\n"
                 "\n"
                 "                       c\n");
}

static void test_a_long_name_indents_as_far(void **state)
{
    (void)state;
    expect_short(view_short_message,
                 "{" TIME ",\"peer\":\"a-name-of-twenty-chr\",\"body\":\"x\\ny\"}",
                 "2026-11-22 19:51:03 a-name-of-twenty-chr: x\n"
                 "                                          y");
}

static void test_nothing_of_others_reaches_the_terminal(void **state)
{
    (void)state;
    expect_short(view_short_message,
                 "{\"time\":\"\\u001b[2J\",\"peer\":\"a\\u001b\\n\","
                 "\"body\":\"\\u001b]0;x\\u0007\\u009b1m\\u202eevil\\r\\tx\"}",
                 "- a^[^J: ^[]0;x^G<U+009B>1m<U+202E>evil^M\tx");
    expect_short(view_short_event,
                 "{\"type\":\"peer.\\u001b[31m\\n\",\"time\":\"x\",\"peer\":\"\\u202e\"}",
                 "- * <U+202E>: ^[[31m^J");
}

static void test_a_text_that_is_gone_is_told(void **state)
{
    (void)state;
    expect_short(view_short_message, "{" TIME ",\"peer\":\"a\"}",
                 "2026-11-22 19:51:03 a: (the text was removed)");
}

static void test_events_are_told_in_words(void **state)
{
    static const struct {
        const char *members;
        const char *text;
    } CASES[] = {
        {"\"type\":\"message.received\",\"message\":{\"body\":\"hi\"}", "alice: hi"},
        {"\"type\":\"message.sent\",\"message\":{\"body\":\"hi\",\"state\":\"queued\"}",
         "-> alice (queued): hi"},
        {"\"type\":\"message.state\",\"message\":{\"id\":\"m\",\"state\":\"delivered\"}",
         "* alice: m is delivered"},
        {"\"type\":\"message.state\",\"message\":{\"id\":\"m\",\"state\":\"failed\","
         "\"reason\":\"no\"}",
         "* alice: m is failed: no"},
        {"\"type\":\"peer.online\"", "* alice: online"},
        {"\"type\":\"peer.trust\",\"trust\":\"verified\"", "* alice: trust is verified now"},
        {"\"type\":\"peer.key_changed\"",
         "* alice: another key answers in its place; nothing is sent until you decide"},
        {"\"type\":\"new.event\"", "* alice: new.event"},
    };
    char object[256], text[160];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        snprintf(object, sizeof object, "{" TIME ",\"peer\":\"alice\",%s}", CASES[i].members);
        snprintf(text, sizeof text, "2026-11-22 19:51:03 %s", CASES[i].text);
        expect_short(view_short_event, object, text);
    }
    expect_short(view_short_event,
                 "{" TIME ",\"type\":\"peer.request\",\"fingerprint\":\"SHA256:x\"}",
                 "2026-11-22 19:51:03 * SHA256:x asks to be let in");
}

static char *printed(const struct view *view, bool terminal, bool event, const char *object)
{
    json_t *value = json_loads(object, 0, NULL);
    char *out = NULL;
    size_t size;
    struct ctl ctl = {.terminal = terminal, .out = open_memstream(&out, &size), .err = stderr};
    assert_non_null(value);
    if (event)
        view_event(&ctl, view, value);
    else
        view_message(&ctl, view, value);
    fclose(ctl.out);
    json_decref(value);
    return out;
}

static void expect_printed(enum view_format format, bool terminal, bool event, const char *object,
                           const char *text)
{
    const struct view view = {format, '\n'};
    char *out = printed(&view, terminal, event, object);
    assert_string_equal(out, text);
    free(out);
}

static void test_what_is_no_text_is_shown_as_none(void **state)
{
    (void)state;
    expect_short(view_short_message, "{" TIME ",\"peer\":\"a\",\"body\":5}",
                 "2026-11-22 19:51:03 a: (the text was removed)");
    expect_printed(VIEW_CAT, true, false, "{" TIME ",\"peer\":\"a\",\"body\":[]}", "");
    expect_printed(VIEW_VERBOSE, true, false, "{" TIME ",\"peer\":\"a\",\"sent\":5}",
                   "2026-11-22 19:51:03 a\n    sent          5\n\n");
}

static void test_cat_has_exact_bytes_but_not_on_a_terminal(void **state)
{
    static const char whole_object[] = "{\"body\":\"\\u001b[1m\\n\\u202e\\t\\r\"}";
    (void)state;
    expect_printed(VIEW_CAT, false, false, whole_object, "\x1b[1m\n\xe2\x80\xae\t\r\n");
    expect_printed(VIEW_CAT, true, false, whole_object, "^[[1m\n<U+202E>\t^M\n");
}

static void test_cat_prints_messages_only(void **state)
{
    (void)state;
    expect_printed(VIEW_CAT, false, true,
                   "{\"type\":\"message.received\",\"message\":{\"body\":\"x\"}}", "x\n");
    expect_printed(VIEW_CAT, false, true,
                   "{\"type\":\"message.state\",\"message\":{\"body\":\"x\"}}", "");
    expect_printed(VIEW_CAT, false, true, "{\"type\":\"peer.online\"}", "");
}

static void test_json_is_the_object_and_ascii_on_a_terminal(void **state)
{
    static const char whole_object[] = "{\"b\": \"\\u009b\\u202e\\u00e4\\n\", \"a\": 1}";
    (void)state;
    expect_printed(VIEW_JSON, false, true, whole_object,
                   "{\"b\":\"\xc2\x9b\xe2\x80\xae\xc3\xa4\\n\",\"a\":1}\n");
    expect_printed(VIEW_JSON, true, true, whole_object,
                   "{\"b\":\"\\u009B\\u202E\\u00E4\\n\",\"a\":1}\n");
}

static void test_nul_can_end_each(void **state)
{
    static const enum view_format formats[] = {VIEW_SHORT, VIEW_CAT, VIEW_JSON};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        const struct view view = {formats[i], '\0'};
        char *out = printed(&view, false, false, "{\"body\":\"x\"}");
        assert_null(strchr(out, '\n'));
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message_is_time_peer_and_text),
        cmocka_unit_test(test_times_are_local),
        cmocka_unit_test(test_further_lines_are_indented_below_the_text),
        cmocka_unit_test(test_a_long_name_indents_as_far),
        cmocka_unit_test(test_nothing_of_others_reaches_the_terminal),
        cmocka_unit_test(test_a_text_that_is_gone_is_told),
        cmocka_unit_test(test_events_are_told_in_words),
        cmocka_unit_test(test_what_is_no_text_is_shown_as_none),
        cmocka_unit_test(test_cat_has_exact_bytes_but_not_on_a_terminal),
        cmocka_unit_test(test_cat_prints_messages_only),
        cmocka_unit_test(test_json_is_the_object_and_ascii_on_a_terminal),
        cmocka_unit_test(test_nul_can_end_each),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
