/* SPDX-License-Identifier: ISC */
/*
 * Tests base/utf8 by hostile and by borderline sequences.
 */
#include "base/utf8.h"

#include <string.h>

#include "unit/cmocka_all.h"

static void test_borders_of_every_length_decode(void **state)
{
    static const struct {
        const char *text;
        uint32_t character;
    } cases[] = {
        {"\x01", 0x01},
        {"\x7f", 0x7f},
        {"\xc2\x80", 0x80},
        {"\xdf\xbf", 0x7ff},
        {"\xe0\xa0\x80", 0x800},
        {"\xed\x9f\xbf", 0xd7ff},
        {"\xee\x80\x80", 0xe000},
        {"\xef\xbf\xbf", 0xffff},
        {"\xf0\x90\x80\x80", 0x10000},
        {"\xf4\x8f\xbf\xbf", 0x10ffff},
    };
    uint32_t character;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t size = strlen(cases[i].text);
        assert_int_equal(utf8_decode(cases[i].text, size, &character), size);
        assert_int_equal(character, cases[i].character);
        assert_true(utf8_valid(cases[i].text, size));
        /* cut short, it is not a character */
        if (size > 1) {
            assert_int_equal(utf8_decode(cases[i].text, size - 1, &character), 0);
            assert_false(utf8_valid(cases[i].text, size - 1));
        }
    }
}

static void test_invalid_sequences_give_their_first_byte(void **state)
{
    static const char *const cases[] = {
        "\x80", /* continuation alone */
        "\xbf",
        "\xc0\x80", /* overlong NUL */
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80", /* surrogates */
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfc\x84\x80\x80\x80\x80",
        "\xfe",
        "\xff",
        "\xc3(",
        "\xe2\x82(",
        "\xf0\x9f\x98(",
    };
    uint32_t character;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(utf8_decode(cases[i], strlen(cases[i]), &character), 0);
        assert_int_equal(character, (uint8_t)cases[i][0]);
        assert_false(utf8_valid(cases[i], strlen(cases[i])));
    }
}

static void test_validity_is_that_of_the_whole(void **state)
{
    (void)state;
    assert_true(utf8_valid("", 0));
    assert_true(utf8_valid("a\0b", 3));
    assert_true(utf8_valid("gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x98\x80", 16));
    assert_false(utf8_valid("gut\xff", 4));
    assert_false(utf8_valid("\xffgut", 4));
    assert_false(utf8_valid("gut\xc3", 4));
}

static void test_every_place_in_a_long_text_is_looked_at(void **state)
{
    char text[40];
    (void)state;
    for (size_t size = 2; size <= sizeof text; size++) {
        for (size_t at = 0; at + 2 <= size; at++) {
            memset(text, 'a', sizeof text);
            memcpy(text + at, "\xc3\xa9", 2);
            assert_true(utf8_valid(text, size));
            text[at] = 'a';
            assert_false(utf8_valid(text, size));
            text[at] = (char)0xc3;
            text[at + 1] = 'a';
            assert_false(utf8_valid(text, size));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_borders_of_every_length_decode),
        cmocka_unit_test(test_invalid_sequences_give_their_first_byte),
        cmocka_unit_test(test_validity_is_that_of_the_whole),
        cmocka_unit_test(test_every_place_in_a_long_text_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
