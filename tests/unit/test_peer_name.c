/* SPDX-License-Identifier: ISC */
/*
 * Tests core/peer_name.
 */
#include "core/peer_name.h"

#include <stdio.h>
#include <string.h>

#include "store/peers.h"
#include "unit/cmocka_all.h"

static void test_names_that_people_type(void **state)
{
    static const char *const good[] = {"bob",       "b",   "m\xc3\xbcller", "\xe5\x85\xb3",
                                       "e\xcc\x81", ";x;", "a.b_c-d",       "\xf0\x9f\x90\x99"};
    static const char *const bad[] = {
        "",
        "-bob",
        "bob bob",
        "a/b",
        "a:b",
        "bob\n",
        "bob\x1b[31m",
        "bo\xc3",
        "alice\xe2\x80\x8b",     /* ZERO WIDTH SPACE */
        "alice\xe2\x80\x8d",     /* ZERO WIDTH JOINER */
        "al\xc2\xadice",         /* SOFT HYPHEN */
        "alice\xf3\xa0\x81\xa1", /* TAG SMALL LETTER A */
        "alice\xef\xb8\x8f",     /* VARIATION SELECTOR-16 */
        "\xe3\x85\xa4",          /* HANGUL FILLER */
        "\xe2\x80\xaeram",       /* RIGHT-TO-LEFT OVERRIDE */
        "\xcc\x81",              /* a combining acute accent alone */
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!peer_name_valid(good[i]))
            fail_msg("\"%s\" is a name", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (peer_name_valid(bad[i]))
            fail_msg("\"%s\" is no name", bad[i]);
}

/* The longest characters are four bytes each. */
static void test_the_limit_counts_characters(void **state)
{
    static const char octopus[] = "\xf0\x9f\x90\x99";
    char name[PEER_NAME_MAX + 1] = "";
    (void)state;
    for (size_t i = 0; i < PEER_NAME_CHARACTERS; i++)
        memcpy(name + 4 * i, octopus, sizeof octopus);
    assert_int_equal(strlen(name), PEER_NAME_MAX - 1);
    assert_true(peer_name_valid(name));
    memset(name, 'x', PEER_NAME_CHARACTERS + 1);
    name[PEER_NAME_CHARACTERS + 1] = '\0';
    assert_false(peer_name_valid(name));
    name[PEER_NAME_CHARACTERS] = '\0';
    assert_true(peer_name_valid(name));
}

static void test_names_that_others_suggest(void **state)
{
    static const char *const good[] = {"bob", "Bob-2", "host.example", "7of9", "a_b"};
    static const char *const bad[] = {"",    ".bob", "_bob", "-bob",      "m\xc3\xbcller",
                                      ";x;", "a'b",  "a$b",  "l\xd0\xbel"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(peer_name_modest(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(peer_name_modest(bad[i]));
}

static void test_names_that_look_alike(void **state)
{
    static const char *const alike[][2] = {
        {"bob", "bob"},     {"bob", "Bob"},     {"bob", "b0b"},
        {"alice", "a1ice"}, {"alice", "AIice"}, {"mary", "rnary"},
        {"will", "vvill"},  {"a-b", "ab"},      {"bob", "b_o.b"}};
    static const char *const different[][2] = {
        {"bob", "bobby"}, {"bob", "rob"}, {"a1", "a2"}, {"host1", "host2"}};
    (void)state;
    for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++)
        if (!peer_name_resembles(alike[i][0], alike[i][1]))
            fail_msg("%s looks like %s", alike[i][0], alike[i][1]);
    for (size_t i = 0; i < sizeof different / sizeof different[0]; i++)
        assert_false(peer_name_resembles(different[i][0], different[i][1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_that_people_type),
        cmocka_unit_test(test_the_limit_counts_characters),
        cmocka_unit_test(test_names_that_others_suggest),
        cmocka_unit_test(test_names_that_look_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
