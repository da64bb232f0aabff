/* SPDX-License-Identifier: ISC */
/*
 * Tests base/base64: the vectors of RFC 4648 without their padding, and strictness.
 */
#include "base/base64.h"

#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"

static void test_known_answers_both_ways(void **state)
{
    static const struct {
        const char *data;
        const char *text;
    } cases[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"},
    };
    char text[16];
    uint8_t data[8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t size = strlen(cases[i].data);
        base64_encode(BASE64_STANDARD, (const uint8_t *)cases[i].data, size, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(BASE64_LENGTH(size), strlen(text));
        assert_int_equal(base64_decode(BASE64_STANDARD, text, strlen(text), data, size), 0);
        assert_memory_equal(data, cases[i].data, size);
    }
}

static void test_alphabets_differ_in_two_characters(void **state)
{
    static const uint8_t input[] = {0xfb, 0xef, 0xff};
    uint8_t data[3];
    char text[8];
    (void)state;
    base64_encode(BASE64_STANDARD, input, 3, text);
    assert_string_equal(text, "++//");
    base64_encode(BASE64_URL, input, 3, text);
    assert_string_equal(text, "--__");
    assert_int_equal(base64_decode(BASE64_URL, "--__", 4, data, 3), 0);
    assert_memory_equal(data, input, 3);
    assert_int_equal(base64_decode(BASE64_URL, "++//", 4, data, 3), -EINVAL);
    assert_int_equal(base64_decode(BASE64_STANDARD, "--__", 4, data, 3), -EINVAL);
}

static void test_every_byte_value_survives(void **state)
{
    uint8_t data[256];
    uint8_t back[256];
    char text[BASE64_LENGTH(256) + 1];
    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)i;
    for (size_t size = 250; size <= sizeof(data); size++) {
        base64_encode(BASE64_URL, data, size, text);
        assert_int_equal(base64_decode(BASE64_URL, text, strlen(text), back, size), 0);
        assert_memory_equal(back, data, size);
    }
}

static void test_decode_is_strict(void **state)
{
    uint8_t data[8];
    (void)state;
    /* padding, white space, foreign characters */
    assert_int_equal(base64_decode(BASE64_STANDARD, "Zg==", 4, data, 1), -EINVAL);
    assert_int_equal(base64_decode(BASE64_STANDARD, "Zg==", 4, data, 3), -EINVAL);
    assert_int_equal(base64_decode(BASE64_STANDARD, "Zm 9", 4, data, 3), -EINVAL);
    assert_int_equal(base64_decode(BASE64_STANDARD, "Zm9\n", 4, data, 3), -EINVAL);
    assert_int_equal(base64_decode(BASE64_STANDARD, "Zm\0v", 4, data, 3), -EINVAL);
    assert_int_equal(base64_decode(BASE64_STANDARD, "Zm9\xc3", 4, data, 3), -EINVAL);
    /* lengths that do not fit the size */
    assert_int_equal(base64_decode(BASE64_STANDARD, "Zm9v", 4, data, 2), -EINVAL);
    assert_int_equal(base64_decode(BASE64_STANDARD, "Zm9v", 4, data, 4), -EINVAL);
    assert_int_equal(base64_decode(BASE64_STANDARD, "Zm9vY", 5, data, 3), -EINVAL);
    assert_int_equal(base64_decode(BASE64_STANDARD, "Z", 1, data, 0), -EINVAL);
    assert_int_equal(base64_decode(BASE64_STANDARD, "Z", 1, data, SIZE_MAX), -EINVAL);
}

static void test_decode_refuses_stray_bits(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int accepted_of_one = 0;
    int accepted_of_two = 0;
    uint8_t data[2];
    (void)state;
    for (size_t i = 0; i < 64; i++) {
        const char one[] = {'Z', digits[i]};
        const char two[] = {'Z', 'm', digits[i]};
        accepted_of_one += base64_decode(BASE64_STANDARD, one, 2, data, 1) == 0;
        accepted_of_two += base64_decode(BASE64_STANDARD, two, 3, data, 2) == 0;
    }
    assert_int_equal(accepted_of_one, 4);
    assert_int_equal(accepted_of_two, 16);
}

static void test_hex_both_ways(void **state)
{
    static const uint8_t input[] = {0x00, 0x1f, 0xa0, 0xff};
    uint8_t data[4];
    char text[9];
    (void)state;
    hex_encode(input, sizeof(input), text);
    assert_string_equal(text, "001fa0ff");
    assert_int_equal(hex_decode("001FA0fF", data, sizeof(data)), 0);
    assert_memory_equal(data, input, sizeof(data));
    assert_int_equal(hex_decode("", data, 0), 0);
}

static void test_hex_decode_is_strict(void **state)
{
    static const char *const cases[] = {"",     "0",    "00",   "000",  "00000", "000000",
                                        "00 0", "0x00", "g000", "000g", "00-1",  "000:"};
    uint8_t data[2];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(hex_decode(cases[i], data, sizeof(data)), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers_both_ways),
        cmocka_unit_test(test_alphabets_differ_in_two_characters),
        cmocka_unit_test(test_every_byte_value_survives),
        cmocka_unit_test(test_decode_is_strict),
        cmocka_unit_test(test_decode_refuses_stray_bits),
        cmocka_unit_test(test_hex_both_ways),
        cmocka_unit_test(test_hex_decode_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
