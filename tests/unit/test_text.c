/* SPDX-License-Identifier: ISC */
/*
 * Tests base/text.
 */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_all.h"

static void test_a_text_is_as_long_as_it_has_to_be(void **state)
{
    (void)state;
    char *text = text_format("%s:%*d.", "left", 5000, 1);
    assert_non_null(text);
    assert_int_equal(strlen(text), 5 + 5000 + 1);
    assert_memory_equal(text, "left: ", 6);
    assert_string_equal(text + 5 + 4999, "1.");
    free(text);
}

static void test_text_is_appended_without_its_nul(void **state)
{
    struct bytes out = {0};
    (void)state;
    assert_int_equal(text_append(&out, "%s", ""), 0);
    assert_int_equal(out.size, 0);
    assert_int_equal(text_append(&out, "%d,", 12), 0);
    assert_int_equal(text_append(&out, "%s", "three"), 0);
    assert_int_equal(out.size, 8);
    assert_memory_equal(out.data, "12,three", 8);
    bytes_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_is_as_long_as_it_has_to_be),
        cmocka_unit_test(test_text_is_appended_without_its_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
