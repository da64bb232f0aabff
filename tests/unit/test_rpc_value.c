/* SPDX-License-Identifier: ISC */
/*
 * Tests rpc/rpc_value: what lacks a part is not there at all.
 */
#include "rpc/rpc_value.h"

#include "unit/cmocka_all.h"

static void test_a_value_has_all_that_it_was_given(void **state)
{
    (void)state;
    json_t *object = json_object(), *array = json_array();
    rpc_value_append(&array, json_integer(1));
    rpc_value_append(&array, json_string("two"));
    rpc_value_set(&object, "list", array);
    rpc_value_set(&object, "name", json_string("x"));
    json_t *expected = json_pack("{s:[i,s],s:s}", "list", 1, "two", "name", "x");
    assert_true(json_equal(object, expected));
    json_decref(expected);
    json_decref(object);
}

static void test_a_value_that_lacks_a_part_is_none(void **state)
{
    (void)state;
    json_t *object = json_pack("{s:i}", "first", 1), *array = json_pack("[i]", 1);
    rpc_value_set(&object, "second", NULL); /* what nobody had memory for */
    assert_null(object);
    rpc_value_append(&array, NULL);
    assert_null(array);
}

static void test_it_stays_none_and_makes_none_of_what_it_is_put_into(void **state)
{
    (void)state;
    json_t *part = NULL, *whole = json_object();
    rpc_value_set(&part, "late", json_integer(1));
    assert_null(part);
    rpc_value_append(&part, json_integer(1));
    assert_null(part);
    rpc_value_set(&whole, "part", part);
    assert_null(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_value_has_all_that_it_was_given),
        cmocka_unit_test(test_a_value_that_lacks_a_part_is_none),
        cmocka_unit_test(test_it_stays_none_and_makes_none_of_what_it_is_put_into),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
