/* SPDX-License-Identifier: ISC */
/*
 * Tests base/shell: what a shell makes of the words again.
 */
#include "base/shell.h"

#include <stdio.h>
#include <string.h>

#include "unit/cmocka_all.h"

static void test_words_are_quoted_when_they_have_to_be(void **state)
{
    static const char *const cases[][2] = {
        {"bob", "bob"},
        {"a-b_c.d", "a-b_c.d"},
        {"SHA256:ab/+=", "SHA256:ab/+="},
        {"m\xc3\xbcller", "m\xc3\xbcller"},
        {"", "''"},
        {";reboot;", "';reboot;'"},
        {"$(id)", "'$(id)'"},
        {"~root", "'~root'"},
        {"a b", "'a b'"},
        {"it's", "'it'\\''s'"},
        {"!!", "'!!'"},
        {"*", "'*'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(shell_word(cases[i][0]).text, cases[i][1]);
}

/* Every byte but NUL, one at a time, through a real shell. */
static void test_a_shell_reads_the_word_back(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        const char word[] = {'a', (char)byte, 'b', '\0'};
        char command[64 + SHELL_WORD_MAX], back[16] = "";
        snprintf(command, sizeof command, "LC_ALL=C printf %%s %s", shell_word(word).text);
        FILE *shell = popen(command, "r");
        assert_non_null(shell);
        const size_t size = fread(back, 1, sizeof back - 1, shell);
        assert_int_equal(pclose(shell), 0);
        assert_int_equal(size, 3);
        assert_memory_equal(back, word, 3);
    }
}

static void test_what_does_not_fit_names_nothing(void **state)
{
    char word[SHELL_WORD_MAX + 1];
    (void)state;
    memset(word, ' ', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    assert_string_equal(shell_word(word).text, "''");
    word[SHELL_WORD_MAX - 3] = '\0';
    assert_int_equal(strlen(shell_word(word).text), SHELL_WORD_MAX - 1);
    word[SHELL_WORD_MAX - 3] = ' ';
    word[SHELL_WORD_MAX - 2] = '\0';
    assert_string_equal(shell_word(word).text, "''");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_quoted_when_they_have_to_be),
        cmocka_unit_test(test_a_shell_reads_the_word_back),
        cmocka_unit_test(test_what_does_not_fit_names_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
