/* SPDX-License-Identifier: ISC */
/*
 * Tests base/timestamp: the calendar, and only the RFC's forms.
 */
#include "base/timestamp.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "unit/cmocka_all.h"

static void test_text_and_time_are_the_same(void **state)
{
    static const struct {
        uint64_t wall_ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {UINT64_C(1700000000001), "2023-11-14T22:13:20.001Z"},
        {UINT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
        {UINT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
    };
    char text[TIMESTAMP_TEXT_MAX];
    uint64_t wall_ms;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        timestamp_format(cases[i].wall_ms, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(timestamp_parse(text, &wall_ms), 0);
        assert_true(wall_ms == cases[i].wall_ms);
    }
}

static void test_format_stays_within_four_digits(void **state)
{
    char text[TIMESTAMP_TEXT_MAX];
    (void)state;
    timestamp_format(UINT64_C(253402300800000), text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    timestamp_format(UINT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void test_parse_reads_every_form(void **state)
{
    static const struct {
        const char *text;
        uint64_t wall_ms;
    } cases[] = {
        {"2023-11-14", UINT64_C(1699920000000)},
        {"2023-11-14T22:13:20Z", UINT64_C(1700000000000)},
        {"2023-11-14t22:13:20z", UINT64_C(1700000000000)},
        {"2023-11-14 22:13:20Z", UINT64_C(1700000000000)},
        {"2023-11-14T22:13:20.5Z", UINT64_C(1700000000500)},
        {"2023-11-14T22:13:20.0019999Z", UINT64_C(1700000000001)},
        {"2023-11-14T23:13:20+01:00", UINT64_C(1700000000000)},
        {"2023-11-14T16:43:20.250-05:30", UINT64_C(1700000000250)},
        {"2023-11-15T22:12:20+23:59", UINT64_C(1700000000000)},
        {"2016-12-31T23:59:60Z", UINT64_C(1483228800000)},
        {"1969-12-31T23:30:00-00:30", 0},
        {"1969-12-31T23:59:59Z", 0},
        {"1970-01-01T00:00:00+00:01", 0},
        {"0000-01-01", 0},
    };
    uint64_t wall_ms;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (timestamp_parse(cases[i].text, &wall_ms) != 0 || wall_ms != cases[i].wall_ms)
            fail_msg("\"%s\" gives %llu", cases[i].text, (unsigned long long)wall_ms);
    }
}

static void test_parse_refuses_everything_else(void **state)
{
    static const char *const cases[] = {
        "",
        "now",
        "2023",
        "2023-11",
        "2023-1-14",
        "23-11-14",
        "2023-00-14",
        "2023-13-14",
        "2023-11-00",
        "2023-11-31",
        "2023-02-29",
        "1900-02-29",
        "2023-11-14T",
        "2023-11-14T22:13:20",
        "2023-11-14T22:13Z",
        "2023-11-14T24:00:00Z",
        "2023-11-14T22:60:00Z",
        "2023-11-14T22:13:61Z",
        "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20,5Z",
        "2023-11-14T22:13:20Zx",
        "2023-11-14T22:13:20 Z",
        "2023-11-14T22:13:20+0100",
        "2023-11-14T22:13:20+24:00",
        "2023-11-14T22:13:20+01:60",
        "2023-11-14T22:13:20--1:00",
        " 2023-11-14",
        "2023-11-14 ",
        "-023-11-14",
    };
    uint64_t wall_ms;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (timestamp_parse(cases[i], &wall_ms) != -EINVAL)
            fail_msg("accepted \"%s\"", cases[i]);
    }
}

/* Berlin is an hour ahead of UTC in winter, two in summer. */
static void test_what_people_write_is_local(void **state)
{
    static const uint64_t now_ms = UINT64_C(1700000000000); /* 2023-11-14 23:13:20 there */
    static const struct {
        const char *text;
        uint64_t wall_ms;
    } cases[] = {
        {"now", now_ms},
        {"today", UINT64_C(1699916400000)},
        {"yesterday", UINT64_C(1699830000000)},
        {"-1h", now_ms - 3600 * 1000},
        {"-100000d", 0},
        {"2023-11-14", UINT64_C(1699916400000)},
        {"2023-11-14 23:13", UINT64_C(1699999980000)},
        {"2023-11-14 23:13:20", now_ms},
        {"2023-11-14T23:13:20.5", now_ms + 500},
        {"2023-07-14 12:00", UINT64_C(1689328800000)},
        {"2023-11-14T22:13:20Z", now_ms},
        {"2023-11-14 22:13:20+00:00", now_ms},
        {"1969-01-01", 0},
    };
    static const char *const bad[] = {"",       "Today",           "tomorrow", "-",
                                      "-1x",    "2023-11-14 23",   "23:13",    "2023-11-14 23:13x",
                                      "-1h-1h", "2023-11-14 24:00"};
    uint64_t wall_ms;
    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (timestamp_parse_local(cases[i].text, now_ms, &wall_ms) != 0 ||
            wall_ms != cases[i].wall_ms)
            fail_msg("\"%s\" gives %llu", cases[i].text, (unsigned long long)wall_ms);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (timestamp_parse_local(bad[i], now_ms, &wall_ms) != -EINVAL)
            fail_msg("accepted \"%s\"", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_time_are_the_same),
        cmocka_unit_test(test_format_stays_within_four_digits),
        cmocka_unit_test(test_parse_reads_every_form),
        cmocka_unit_test(test_what_people_write_is_local),
        cmocka_unit_test(test_parse_refuses_everything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
