/* SPDX-License-Identifier: ISC */
/*
 * Tests what a chat prints above its edit line, and which marks it still reaches.
 */
#include "client/chat/transcript.h"

#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_all.h"

#define DAY "--- Sunday, 22 November 2026 ---\n"

static char *shown;
static size_t shown_size, seen;
static struct transcript transcript;

static int setup(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    seen = 0;
    transcript =
        (struct transcript){.out = open_memstream(&shown, &shown_size), .columns = 20, .rows = 6};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fclose(transcript.out);
    transcript_deinit(&transcript);
    free(shown);
    return 0;
}

/* What was printed since the last time is exactly this. */
static void expect(const char *text)
{
    fflush(transcript.out);
    assert_string_equal(shown + seen, text);
    seen = shown_size;
}

static void show(const char *object)
{
    json_t *message = json_loads(object, 0, NULL);
    assert_non_null(message);
    transcript_message(&transcript, message);
    json_decref(message);
}

#define OWN(id)                                                                              \
    "{\"id\":\"" id "\",\"direction\":\"out\",\"state\":\"queued\",\"body\":\"x\",\"time\":" \
    "\"2026-11-22T20:51:00.000Z\"}"
#define THEIRS(body) \
    "{\"peer\":\"alice\",\"body\":\"" body "\",\"time\":\"2026-11-22T20:51:00.000Z\"}"

static void test_messages_have_a_day_a_time_and_who(void **state)
{
    (void)state;
    show(THEIRS("a\\nb\\u001b"));
    expect(DAY "20:51   alice: a\n        b^[\n");
    show(OWN("1"));
    expect("20:51 · me: x\n");
    show("{\"peer\":\"alice\",\"time\":\"2026-11-23T00:00:00Z\"}");
    expect("--- Monday, 23 November 2026 ---\n00:00   alice: (the text was removed)\n");
}

static void test_a_mark_on_the_screen_is_changed_in_place(void **state)
{
    (void)state;
    show(OWN("1"));
    show(THEIRS("a text that takes two rows"));
    expect(DAY "20:51 · me: x\n20:51   alice: a text that takes two rows\n");
    transcript_state(&transcript, "1", "sent", "");
    expect("\0337\033[4A\033[7G→\0338");
    transcript_state(&transcript, "1", "sent", "");
    expect("");
    transcript_state(&transcript, "1", "delivered", "");
    expect("\0337\033[4A\033[7G✓\0338");
    transcript_state(&transcript, "1", "delivered", "");
    transcript_settle(&transcript);
    expect("");
}

static void test_a_mark_that_may_have_left_the_screen_is_told_later(void **state)
{
    (void)state;
    show(OWN("1"));
    show(THEIRS("1"));
    show(THEIRS("2"));
    expect(DAY "20:51 · me: x\n20:51   alice: 1\n20:51   alice: 2\n");
    transcript_line_took(&transcript, 4); /* may have moved it off */
    transcript_state(&transcript, "1", "delivered", "");
    expect("");
    transcript_settle(&transcript);
    expect("* ✓ 1 earlier message is delivered\n");
    transcript_settle(&transcript);
    expect("");
}

static void test_what_is_not_delivered_is_told_at_once(void **state)
{
    (void)state;
    show(OWN("1"));
    expect(DAY "20:51 · me: x\n");
    transcript_state(&transcript, "1", "failed", "refused\033");
    expect("\0337\033[1A\033[7G✗\0338* ✗ your message of 20:51 is failed: refused^[\n");
}

static void test_a_new_size_shows_again_what_fits_with_marks_as_they_are(void **state)
{
    (void)state;
    show(OWN("1"));
    show(OWN("2"));
    transcript_note(&transcript, "note");
    expect(DAY "20:51 · me: x\n20:51 · me: x\n* note\n");
    transcript_state(&transcript, "2", "delivered", "");
    expect("\0337\033[2A\033[7G✓\0338");
    transcript_resize(&transcript, 80, 4, 1);
    expect("\033[H\033[2J20:51 · me: x\n20:51 ✓ me: x\n* note\n");
    transcript_state(&transcript, "1", "delivered", "");
    expect("\0337\033[3A\033[7G✓\0338");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_messages_have_a_day_a_time_and_who),
        TEST(test_a_mark_on_the_screen_is_changed_in_place),
        TEST(test_a_mark_that_may_have_left_the_screen_is_told_later),
        TEST(test_what_is_not_delivered_is_told_at_once),
        TEST(test_a_new_size_shows_again_what_fits_with_marks_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
