/* SPDX-License-Identifier: ISC */
/*
 * Tests "did you mean": what is near enough, and that the nearest wins.
 */
#include "base/suggest.h"

#include <string.h>

#include "unit/cmocka_all.h"

static const char *best_of(const char *word, const char *const *candidates)
{
    struct suggestion suggestion = suggest_for(word);
    for (; *candidates != NULL; candidates++)
        suggest_offer(&suggestion, *candidates);
    return suggestion.best;
}

static const char *const verbs[] = {"send",   "follow", "chat", "history", "status",
                                    "doctor", "queue",  "rpc",  NULL};

static void test_one_mistake_finds_the_word(void **state)
{
    static const char *const cases[][2] = {
        {"sendd", "send"},   {"snd", "send"},      {"sned", "send"},       {"chta", "chat"},
        {"folow", "follow"}, {"statsu", "status"}, {"hsitory", "history"}, {"docter", "doctor"},
        {"queues", "queue"}, {"prc", "rpc"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(best_of(cases[i][0], verbs), cases[i][1]);
}

static void test_what_is_like_nothing_gets_no_suggestion(void **state)
{
    (void)state;
    assert_null(best_of("", verbs));
    assert_null(best_of("ls", verbs));
    assert_null(best_of("xxxx", verbs));
    assert_null(best_of("encrypt", verbs));
}

static void test_the_nearest_wins_and_of_equals_the_first(void **state)
{
    (void)state;
    assert_string_equal(best_of("alicia", (const char *const[]){"alic", "alica", NULL}), "alica");
    assert_string_equal(best_of("bobo", (const char *const[]){"bobe", "bobi", NULL}), "bobe");
}

static void test_words_that_are_too_long_are_left_alone(void **state)
{
    char long_word[SUGGEST_WORD_MAX + 2];
    (void)state;
    memset(long_word, 'x', sizeof long_word - 1);
    long_word[SUGGEST_WORD_MAX + 1] = '\0';
    assert_null(best_of(long_word, (const char *const[]){long_word, NULL}));
    long_word[SUGGEST_WORD_MAX] = '\0';
    assert_ptr_equal(best_of(long_word, (const char *const[]){long_word, NULL}), long_word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_mistake_finds_the_word),
        cmocka_unit_test(test_what_is_like_nothing_gets_no_suggestion),
        cmocka_unit_test(test_the_nearest_wins_and_of_equals_the_first),
        cmocka_unit_test(test_words_that_are_too_long_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
