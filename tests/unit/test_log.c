/* SPDX-License-Identifier: ISC */
/*
 * Tests base/log: what reaches the sink, in which form and how often.
 */
#define LOG_COMPONENT "test"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "unit/cmocka_all.h"
#include "unit/fake_clock.h"

/* The last entry and how many there were. */
static struct {
    int count;
    enum log_level level;
    char component[16];
    char event[32];
    char peer[512];
    char message[2048];
} caught;

static void catch_entry(const struct log_entry *entry)
{
    caught.count++;
    caught.level = entry->level;
    snprintf(caught.component, sizeof(caught.component), "%s", entry->component);
    snprintf(caught.event, sizeof(caught.event), "%s", entry->event ? entry->event : "(none)");
    snprintf(caught.peer, sizeof(caught.peer), "%s", entry->peer ? entry->peer : "(none)");
    snprintf(caught.message, sizeof(caught.message), "%s", entry->message);
    errno = EBADF;
}

static int setup(void **state)
{
    (void)state;
    memset(&caught, 0, sizeof(caught));
    log_set_level(LOG_LEVEL_INFO);
    log_set_sink(catch_entry);
    fake_clock_set(1000000);
    return 0;
}

static void test_entry_carries_all_its_parts(void **state)
{
    (void)state;
    log_event(LOG_LEVEL_NOTICE, "peer-online", "alice", "link %d is up", 7);
    assert_int_equal(caught.count, 1);
    assert_int_equal(caught.level, LOG_LEVEL_NOTICE);
    assert_string_equal(caught.component, "test");
    assert_string_equal(caught.event, "peer-online");
    assert_string_equal(caught.peer, "alice");
    assert_string_equal(caught.message, "link 7 is up");
    log_error("plain");
    assert_string_equal(caught.event, "(none)");
    assert_string_equal(caught.peer, "(none)");
}

static void test_untrusted_text_is_harmless(void **state)
{
    (void)state;
    log_event(LOG_LEVEL_INFO, NULL, "eve\x1b[31m", "she says \"%s\"", "x\nerror: \xe2\x80\xae\xff");
    assert_string_equal(caught.peer, "eve^[[31m");
    assert_string_equal(caught.message, "she says \"x^Jerror: <U+202E>\\xff\"");
}

static void test_long_lines_are_cut_and_marked(void **state)
{
    char text[5000];
    size_t length;
    (void)state;
    for (size_t size = 1020; size < 1030; size++) {
        memset(text, 'a', size);
        text[size] = '\0';
        log_error("%s", text);
        length = strlen(caught.message);
        assert_int_equal(length, size < 1024 ? size : 1023);
        assert_int_equal(strcmp(caught.message + length - 3, "...") == 0, size >= 1024);
    }
    memset(text, '\x1b', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_event(LOG_LEVEL_ERROR, NULL, text, "%s", text);
    assert_true(strlen(caught.message) <= 1023);
    assert_string_equal(caught.message + strlen(caught.message) - 3, "...");
    assert_string_equal(caught.peer + strlen(caught.peer) - 3, "...");
}

static void test_errno_survives(void **state)
{
    (void)state;
    errno = ENOSPC;
    log_error("something");
    assert_int_equal(errno, ENOSPC);
}

static void test_level_decides_what_passes(void **state)
{
    (void)state;
    log_debug("not now");
    assert_int_equal(caught.count, 0);
    log_set_level(LOG_LEVEL_DEBUG);
    assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
    log_debug("now");
    assert_int_equal(caught.count, 1);
    log_set_level(LOG_LEVEL_ERROR);
    log_warning("no");
    log_write(LOG_LEVEL_WARNING, "test", NULL, NULL, "no");
    assert_int_equal(caught.count, 1);
    log_error("yes");
    assert_int_equal(caught.count, 2);
}

static void complain(void)
{
    log_warning("again");
}

static void test_one_call_site_is_limited_per_interval(void **state)
{
    (void)state;
    for (int i = 0; i < LOG_BURST + 7; i++)
        complain();
    assert_int_equal(caught.count, LOG_BURST);
    log_warning("another place speaks");
    assert_int_equal(caught.count, LOG_BURST + 1);
    fake_clock_set(1000000 + LOG_INTERVAL_S * 1000 - 1);
    complain();
    assert_int_equal(caught.count, LOG_BURST + 1);
    fake_clock_set(1000000 + LOG_INTERVAL_S * 1000);
    complain();
    assert_int_equal(caught.count, LOG_BURST + 3);
    assert_string_equal(caught.message, "again");
}

static char first_of_interval[64];

static void catch_first(const struct log_entry *entry)
{
    if (first_of_interval[0] == '\0')
        snprintf(first_of_interval, sizeof(first_of_interval), "%s", entry->message);
}

static void test_next_interval_tells_how_many_were_dropped(void **state)
{
    struct log_site site = {.window_ms = 1000000 - LOG_INTERVAL_S * 1000ULL,
                            .count = LOG_BURST + 12};
    (void)state;
    log_set_sink(catch_first);
    assert_true(log_allow(&site, LOG_LEVEL_INFO, "test"));
    assert_string_equal(first_of_interval, "12 lines like the next were dropped");
}

static void test_errors_are_not_limited(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * LOG_BURST; i++)
        log_event(LOG_LEVEL_ERROR, "trouble", NULL, "number %d", i);
    assert_int_equal(caught.count, 3 * LOG_BURST);
}

static void test_level_names_both_ways(void **state)
{
    static const char *const names[] = {"error", "warning", "notice", "info", "debug"};
    enum log_level level = LOG_LEVEL_INFO;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(log_level_parse(names[i], &level), 0);
        assert_int_equal(level, LOG_LEVEL_ERROR + i);
        assert_string_equal(log_level_name(level), names[i]);
    }
    assert_int_equal(log_level_parse("Error", &level), -EINVAL);
    assert_int_equal(log_level_parse("", &level), -EINVAL);
    assert_int_equal(log_level_parse("info ", &level), -EINVAL);
}

static void test_no_sink_means_standard_error(void **state)
{
    char line[256] = "";
    FILE *saved = stderr;
    (void)state;
    log_set_sink(NULL);
    stderr = fmemopen(line, sizeof(line), "w");
    log_event(LOG_LEVEL_INFO, "peer-online", "alice", "link is up");
    log_error("no peer");
    fclose(stderr);
    stderr = saved;
    assert_string_equal(line, "test_log: test: alice: link is up\ntest_log: test: no peer\n");
}

static int shout(struct bytes *out, const char *text, const void *context)
{
    const char *before = context;
    if (strcmp(text, "broken") == 0)
        return -ENOMEM;
    const int r = bytes_append(out, before, strlen(before));
    return r == 0 ? bytes_append(out, text, strlen(text)) : r;
}

static void test_entries_are_edited_and_made_harmless_then(void **state)
{
    (void)state;
    log_set_edit(shout, "\033");
    log_error("no peer");
    assert_string_equal(caught.message, "^[no peer");
    log_error("broken");
    assert_string_equal(caught.message, "broken");
    log_set_edit(NULL, NULL);
    log_error("no peer");
    assert_string_equal(caught.message, "no peer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_entry_carries_all_its_parts, setup),
        cmocka_unit_test_setup(test_untrusted_text_is_harmless, setup),
        cmocka_unit_test_setup(test_long_lines_are_cut_and_marked, setup),
        cmocka_unit_test_setup(test_errno_survives, setup),
        cmocka_unit_test_setup(test_level_decides_what_passes, setup),
        cmocka_unit_test_setup(test_one_call_site_is_limited_per_interval, setup),
        cmocka_unit_test_setup(test_next_interval_tells_how_many_were_dropped, setup),
        cmocka_unit_test_setup(test_entries_are_edited_and_made_harmless_then, setup),
        cmocka_unit_test_setup(test_errors_are_not_limited, setup),
        cmocka_unit_test_setup(test_level_names_both_ways, setup),
        cmocka_unit_test_setup(test_no_sink_means_standard_error, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
