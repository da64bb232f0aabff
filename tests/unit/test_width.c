/* SPDX-License-Identifier: ISC */
/*
 * Tests how much room texts take on a terminal.
 */
#include "client/width.h"

#include <string.h>

#include "unit/cmocka_all.h"

static void test_characters_have_their_columns(void **state)
{
    (void)state;
    assert_int_equal(width_of(""), 0);
    assert_int_equal(width_of("abc"), 3);
    assert_int_equal(width_of("Grüße"), 5);
    assert_int_equal(width_of("你好"), 4);
    assert_int_equal(width_of("🦊"), 2);
    assert_int_equal(width_of("e\u0301"), 1);
    assert_int_equal(width_of_part("你好", 3), 2);
    assert_int_equal(width_of_character(L'x'), 1);
    assert_int_equal(width_of_character(L'\a'), 0);
}

static void test_what_fits_ends_between_characters(void **state)
{
    (void)state;
    assert_int_equal(width_fitting("abc", 2), 2);
    assert_int_equal(width_fitting("abc", 9), 3);
    assert_int_equal(width_fitting("你好", 3), 3);
    assert_int_equal(width_fitting("你好", 1), 0);
    assert_int_equal(width_fitting("e\u0301x", 1), 3);
}

static size_t rows(const char *text, size_t columns)
{
    return width_rows(text, strlen(text), columns);
}

static void test_rows_are_those_of_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(rows("", 10), 1);
    assert_int_equal(rows("1234567890", 10), 1);
    assert_int_equal(rows("1234567890\n", 10), 1);
    assert_int_equal(rows("12345678901", 10), 2);
    assert_int_equal(rows("1\n2\n3\n", 10), 3);
    assert_int_equal(rows("\n\n", 10), 2);
    assert_int_equal(rows("123456789你", 10), 2); /* half of it does not fit */
    assert_int_equal(rows("12345678你", 10), 1);
    assert_int_equal(rows("\t\t\t\tx", 10), 1); /* tabs stop at the last column */
    assert_int_equal(rows("\t\t\t\txy", 10), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters_have_their_columns),
        cmocka_unit_test(test_what_fits_ends_between_characters),
        cmocka_unit_test(test_rows_are_those_of_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
