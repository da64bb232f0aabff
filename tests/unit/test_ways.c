/* SPDX-License-Identifier: ISC */
/*
 * Tests core/ways: whom a race starts with.
 */
#include "core/ways.h"

#include <stdio.h>
#include <string.h>

#include "unit/cmocka_all.h"

enum { GIVEN_MAX = 4 };

static struct address address(const char *text)
{
    struct address parsed;
    assert_int_equal(address_parse(text, &parsed), 0);
    return parsed;
}

struct row {
    const char *last;
    const char *given[GIVEN_MAX];
    const char *told[GIVEN_MAX];
    bool ipv6;
    const char *expected;
};

static const struct row rows[] = {
    {NULL, {0}, {0}, false, ""},
    {NULL, {"host:1"}, {0}, false, "host:1"},
    {NULL,
     {"a:1", "192.0.2.1:1", "[2001:db8::1]:1"},
     {0},
     false,
     "192.0.2.1:1 a:1 [2001:db8::1]:1"},
    {NULL, {"a:1", "192.0.2.1:1", "[2001:db8::1]:1"}, {0}, true, "[2001:db8::1]:1 a:1 192.0.2.1:1"},
    {NULL, {"a:1", "192.0.2.1:1"}, {0}, true, "a:1 192.0.2.1:1"},
    {"192.0.2.9:5", {"a:1", "192.0.2.1:1"}, {0}, false, "192.0.2.9:5 a:1 192.0.2.1:1"},
    {"192.0.2.1:1", {"a:1", "192.0.2.1:1", "a:2", "a:1"}, {0}, false, "192.0.2.1:1 a:1 a:2"},
    {"a:2", {"a:1"}, {"8.8.8.8:1", "a:1", "8.8.8.9:1"}, false, "a:2 a:1 8.8.8.8:1 8.8.8.9:1"},
    {NULL, {0}, {"8.8.8.8:1"}, false, "8.8.8.8:1"},
};

static void test_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address given[GIVEN_MAX], told[GIVEN_MAX], ways[DIAL_WAYS_MAX], last;
        struct ways_facts facts = {.given = given, .told = told, .ipv6 = rows[i].ipv6};
        char shown[512] = "", one[ADDRESS_TEXT_MAX];
        if (rows[i].last != NULL) {
            last = address(rows[i].last);
            facts.last = &last;
        }
        while (facts.given_count < GIVEN_MAX && rows[i].given[facts.given_count] != NULL) {
            given[facts.given_count] = address(rows[i].given[facts.given_count]);
            facts.given_count++;
        }
        while (facts.told_count < GIVEN_MAX && rows[i].told[facts.told_count] != NULL) {
            told[facts.told_count] = address(rows[i].told[facts.told_count]);
            facts.told_count++;
        }
        unsigned count = ways_order(&facts, ways);
        for (unsigned k = 0; k < count; k++) {
            address_format(&ways[k], one);
            snprintf(shown + strlen(shown), sizeof shown - strlen(shown), "%s%s", k > 0 ? " " : "",
                     one);
        }
        assert_string_equal(shown, rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order)};
    return cmocka_run_group_tests_name("ways", tests, NULL, NULL);
}
