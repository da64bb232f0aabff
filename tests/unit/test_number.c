/* SPDX-License-Identifier: ISC */
/*
 * Tests base/number: what people may write, and nothing more.
 */
#include "base/number.h"

#include <errno.h>

#include "unit/cmocka_all.h"

struct answer {
    const char *text;
    uint64_t value;
};

typedef int parse_fn(const char *text, uint64_t *value);

static void assert_answers(parse_fn *parse, const struct answer *answers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 0;
        if (parse(answers[i].text, &value) != 0 || value != answers[i].value)
            fail_msg("\"%s\" gives %llu", answers[i].text, (unsigned long long)value);
    }
}

static void assert_refused(parse_fn *parse, const char *const *texts, size_t count, int expected)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 77;
        if (parse(texts[i], &value) != expected || value != 77)
            fail_msg("\"%s\" is not refused by %d", texts[i], expected);
    }
}

static int parse_number(const char *text, uint64_t *value)
{
    return number_parse(text, UINT64_MAX, value);
}

static void test_numbers(void **state)
{
    static const struct answer table[] = {
        {"0", 0}, {"007", 7}, {"18446744073709551615", UINT64_MAX}};
    static const char *const invalid[] = {"",    " 1",  "1 ",    "+1",  "-1", "0x10",
                                          "1e3", "1.0", "1,000", "one", "1\n"};
    static const char *const too_large[] = {"18446744073709551616", "99999999999999999999999"};
    (void)state;
    assert_answers(parse_number, table, COUNT_OF(table));
    assert_refused(parse_number, invalid, COUNT_OF(invalid), -EINVAL);
    assert_refused(parse_number, too_large, COUNT_OF(too_large), -ERANGE);
}

static void test_number_stops_at_its_maximum(void **state)
{
    uint64_t value = 0;
    (void)state;
    assert_int_equal(number_parse("65535", 65535, &value), 0);
    assert_int_equal(value, 65535);
    assert_int_equal(number_parse("65536", 65535, &value), -ERANGE);
    assert_int_equal(value, 65535);
}

static void test_quantities_as_written(void **state)
{
    static const struct answer durations[] = {
        {"0ms", 0},          {"1ms", 1},
        {"1500ms", 1500},    {"90s", 90000},
        {"30d", 2592000000}, {"1w", 604800000},
        {"36h", 129600000},  {"18446744073709551615ms", UINT64_MAX},
    };
    static const struct answer sizes[] = {
        {"0B", 0}, {"1023B", 1023}, {"1KiB", 1024}, {"1GiB", 1 << 30}, {"1025MiB", 1025 << 20},
    };
    char text[QUANTITY_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        duration_format(durations[i].value, text);
        assert_string_equal(text, durations[i].text);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_format(sizes[i].value, text);
        assert_string_equal(text, sizes[i].text);
    }
}

static void test_durations(void **state)
{
    static const struct answer table[] = {
        {"0", 0},          {"5", 5000},
        {"5s", 5000},      {"250ms", 250},
        {"2min", 120000},  {"1h", 3600000},
        {"1d", 86400000},  {"1w", 604800000},
        {"1.5h", 5400000}, {"0.25", 250},
        {"0.0004s", 0},    {"0.999999999999s", 999},
        {"1.5ms", 1},      {"18446744073709551615ms", UINT64_MAX},
    };
    static const char *const invalid[] = {"",   "s",  ".5s",    "1.s",  "1 s",     "1s ", "-1s",
                                          "1m", "1S", "1.5.5s", "1sec", "1h30min", "1e3s"};
    static const char *const too_large[] = {"18446744073709551615", "18446744073709552s",
                                            "99999999999999999999ms", "30500568904944w"};
    (void)state;
    assert_answers(duration_parse, table, COUNT_OF(table));
    assert_refused(duration_parse, invalid, COUNT_OF(invalid), -EINVAL);
    assert_refused(duration_parse, too_large, COUNT_OF(too_large), -ERANGE);
}

static void test_sizes(void **state)
{
    static const struct answer table[] = {
        {"0", 0},
        {"512", 512},
        {"512B", 512},
        {"1KiB", 1024},
        {"64K", 65536},
        {"1MiB", 1048576},
        {"3M", 3145728},
        {"1GiB", 1073741824},
        {"1G", 1073741824},
        {"1TiB", UINT64_C(1099511627776)},
        {"16777215T", UINT64_C(16777215) << 40},
    };
    static const char *const invalid[] = {"", "K", "1k", "1KB", "1kib", "1 K", "-1K", "1.5K", "1P"};
    static const char *const too_large[] = {"16777216T", "18446744073709551616B"};
    (void)state;
    assert_answers(size_parse, table, COUNT_OF(table));
    assert_refused(size_parse, invalid, COUNT_OF(invalid), -EINVAL);
    assert_refused(size_parse, too_large, COUNT_OF(too_large), -ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_number_stops_at_its_maximum),
        cmocka_unit_test(test_quantities_as_written),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
