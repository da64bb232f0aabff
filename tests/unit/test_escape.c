/* SPDX-License-Identifier: ISC */
/*
 * Tests base/escape by text that would do something to a terminal.
 */
#include "base/escape.h"

#include <string.h>

#include "base/cleanup.h"
#include "unit/cmocka_all.h"

static void assert_escapes(const char *text, size_t size, enum escape_mode mode,
                           const char *expected)
{
    CLEANUP(bytes_deinit) struct bytes out = {0};
    assert_int_equal(escape_append(&out, text, size, mode), 0);
    assert_int_equal(bytes_append_u8(&out, 0), 0);
    assert_string_equal((const char *)out.data, expected);
}

static void test_dangerous_text_becomes_visible(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } CASES[] = {
        {"", ""},
        {"plain text, gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80",
         "plain text, gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"},
        {"\x1b[2J", "^[[2J"},
        {"a\nb\tc\r", "a^Jb^Ic^M"},
        {"\x07\x7f", "^G^?"},
        {"\xc2\x9b"
         "2J",
         "<U+009B>2J"},
        {"\xc2\x80\xc2\x9f\xc2\xa0", "<U+0080><U+009F>\xc2\xa0"},
        {"\xe2\x80\xae"
         "gpj.exe",
         "<U+202E>gpj.exe"},
        {"\xe2\x80\xa9\xe2\x80\xaa", "<U+2029><U+202A>"},
        {"\xe2\x80\xa8", "<U+2028>"},
        {"\xe2\x80\xaf", "\xe2\x80\xaf"},
        {"\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa",
         "\xe2\x81\xa5<U+2066><U+2069>\xe2\x81\xaa"},
        {"\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "<U+200E><U+200F><U+061C>"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xc3(", "\\xc3("},
        {"\xc0\x9b", "\\xc0\\x9b"},
        {"end\xe2\x80", "end\\xe2\\x80"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        assert_escapes(CASES[i].text, strlen(CASES[i].text), ESCAPE_LINE, CASES[i].expected);
    assert_escapes("a\0b", 3, ESCAPE_LINE, "a^@b");
}

static void test_paragraphs_keep_lines_and_tabs_only(void **state)
{
    (void)state;
    assert_escapes("a\nb\tc\r\x1b", 7, ESCAPE_PARAGRAPH, "a\nb\tc^M^[");
}

/* Whatever the bytes: afterwards it is valid text without controls. */
static void test_no_byte_pair_gets_through(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        const char text[] = {(char)(pair >> 8), (char)pair};
        CLEANUP(bytes_deinit) struct bytes out = {0};
        CLEANUP(bytes_deinit) struct bytes again = {0};
        assert_int_equal(escape_append(&out, text, 2, ESCAPE_LINE), 0);
        for (size_t i = 0; i < out.size; i++)
            assert_true(out.data[i] >= 0x20 && out.data[i] != 0x7f);
        assert_int_equal(escape_append(&again, (const char *)out.data, out.size, ESCAPE_LINE), 0);
        assert_int_equal(again.size, out.size);
        assert_memory_equal(again.data, out.data, out.size);
    }
}

static void test_copy_marks_what_it_cuts(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } CASES[] = {
        {"", ""},
        {"123456789", "123456789"},
        {"1234567890", "123456..."},
        {"12345678\x1b", "123456..."}, /* a form is never split */
        {"12345\x1b"
         "8",
         "12345^[8"},
        {"1234\xe2\x80\xae", "1234..."},
        {"\xe2\x80\xae", "<U+202E>"},
        {"\xe2\x80\xae\xe2\x80\xae", "..."},
        {"12345\xc3\xbc\xc3\xbc\xc3\xbc", "12345..."},
    };
    char out[10];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        memset(out, 'Z', sizeof(out));
        escape_copy(out, sizeof(out), CASES[i].text, ESCAPE_LINE);
        assert_string_equal(out, CASES[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dangerous_text_becomes_visible),
        cmocka_unit_test(test_paragraphs_keep_lines_and_tabs_only),
        cmocka_unit_test(test_no_byte_pair_gets_through),
        cmocka_unit_test(test_copy_marks_what_it_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
