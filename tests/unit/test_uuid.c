/* SPDX-License-Identifier: ISC */
/*
 * Tests base/uuid by the example of RFC 9562, appendix A.6.
 */
#include "base/uuid.h"

#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"

static const char example[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";

static void test_make_puts_time_and_randomness_in_place(void **state)
{
    static const uint8_t random[] = {0xfc, 0xc3, 0xd8, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};
    struct uuid uuid = uuid_make(UINT64_C(0x017f22e279b0), random);
    char text[UUID_TEXT_MAX];
    (void)state;
    uuid_format(&uuid, text);
    assert_string_equal(text, example);
}

static void test_later_ids_sort_behind(void **state)
{
    static const uint8_t high[UUID_RANDOM_SIZE] = {0xff, 0xff, 0xff};
    static const uint8_t LOW[UUID_RANDOM_SIZE];
    struct uuid before = uuid_make(UINT64_C(0x0100000000ff), high);
    struct uuid after = uuid_make(UINT64_C(0x010000000100), LOW);
    (void)state;
    assert_true(memcmp(before.bytes, after.bytes, UUID_SIZE) < 0);
}

static void test_parse_reads_either_case(void **state)
{
    struct uuid lower;
    struct uuid upper;
    (void)state;
    assert_int_equal(uuid_parse(example, &lower), 0);
    assert_int_equal(uuid_parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", &upper), 0);
    assert_true(uuid_equal(&lower, &upper));
    assert_int_equal(lower.bytes[15], 0x8f);
}

static void test_parse_refuses_other_forms(void **state)
{
    static const char *const cases[] = {
        "",
        "017f22e279b07cc398c4dc0c0c07398f",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e2_79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e27-9b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c0-398f",
        "                                    ",
    };
    struct uuid uuid;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(uuid_parse(cases[i], &uuid), -EINVAL);
}

static void test_equal_and_zero_look_at_every_byte(void **state)
{
    struct uuid zero = {{0}};
    (void)state;
    assert_true(uuid_is_zero(&zero));
    for (size_t i = 0; i < UUID_SIZE; i++) {
        struct uuid other = {{0}};
        other.bytes[i] = 1;
        assert_false(uuid_is_zero(&other));
        assert_false(uuid_equal(&zero, &other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make_puts_time_and_randomness_in_place),
        cmocka_unit_test(test_later_ids_sort_behind),
        cmocka_unit_test(test_parse_reads_either_case),
        cmocka_unit_test(test_parse_refuses_other_forms),
        cmocka_unit_test(test_equal_and_zero_look_at_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
