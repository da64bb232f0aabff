/* SPDX-License-Identifier: ISC */
/*
 * Tests proto/service_name.
 */
#include "proto/service_name.h"

#include <string.h>

#include "unit/cmocka_all.h"

#define NAME(text) SPAN(text, strlen(text))

static void test_names(void **state)
{
    static const struct {
        const char *name;
        bool valid, known;
    } rows[] = {
        {"git", true, true},   {"7zip", true, true},  {"a.b-c_d", true, true},
        {"x", true, true},     {"a.", true, true},    {".relay", false, true},
        {".9", false, true},   {"", false, false},    {".", false, false},
        {"..a", false, false}, {"-a", false, false},  {"_a", false, false},
        {".-a", false, false}, {"Git", false, false}, {"a b", false, false},
        {"a/b", false, false}, {"a:", false, false},  {"\xc3\xa4", false, false},
        {"a\n", false, false}, {"a{", false, false},  {"a`", false, false},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        if (service_name_valid(NAME(rows[i].name)) != rows[i].valid ||
            service_name_known(NAME(rows[i].name)) != rows[i].known)
            fail_msg("%s", rows[i].name);
    }
    assert_false(service_name_known(SPAN("a\0b", 3)));
    assert_false(service_name_valid(SPAN("a", 0)));
    assert_false(service_name_known(SPAN(".a", 1)));
}

static void test_a_name_has_a_greatest_length(void **state)
{
    char name[SERVICE_NAME_MAX + 1];
    (void)state;
    memset(name, 'x', sizeof name);
    for (unsigned own = 0; own <= 1; own++) {
        name[0] = own ? '.' : 'x';
        assert_true(service_name_known(SPAN(name, SERVICE_NAME_MAX)));
        assert_false(service_name_known(SPAN(name, SERVICE_NAME_MAX + 1)));
    }
    name[0] = 'x';
    assert_true(service_name_valid(SPAN(name, SERVICE_NAME_MAX)));
    assert_false(service_name_valid(SPAN(name, SERVICE_NAME_MAX + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_a_name_has_a_greatest_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
