/* SPDX-License-Identifier: ISC */
/*
 * Tests core/former: which links are named, and for how long.
 */
#include "core/former.h"

#include <string.h>

#include "unit/cmocka_all.h"

enum { NOW_MS = 5000000 };

static struct former former;
static struct gone gone;

static int start(void **state)
{
    (void)state;
    former_wipe(&former);
    return 0;
}

static void note(uint8_t tag, uint64_t ended_ms)
{
    const struct secret secret = {{tag}};
    former_note(&former, &secret, ended_ms);
}

static bool is_listed(uint8_t tag, uint64_t now_ms)
{
    unsigned found = 0;
    former_list(&former, now_ms, &gone);
    for (unsigned i = 0; i < gone.count; i++)
        found += gone.keys[i].bytes[0] == tag;
    assert_true(found <= 1);
    return found > 0;
}

static void test_new_peer_has_none(void **state)
{
    (void)state;
    former_list(&former, NOW_MS, &gone);
    assert_int_equal(gone.count, 0);
}

static void test_link_is_named_for_two_minutes(void **state)
{
    (void)state;
    note(7, NOW_MS);
    assert_true(is_listed(7, NOW_MS));
    assert_true(is_listed(7, NOW_MS + 120000));
    assert_false(is_listed(7, NOW_MS + 120001));
}

static void test_newest_four_are_named(void **state)
{
    (void)state;
    for (uint8_t tag = 1; tag <= 11; tag++)
        note(tag, NOW_MS + tag);
    for (uint8_t tag = 1; tag <= 11; tag++)
        assert_int_equal(is_listed(tag, NOW_MS + 20), tag > 7);
}

static void test_link_without_a_tag_pushes_none_out(void **state)
{
    (void)state;
    for (uint8_t tag = 1; tag <= 4; tag++)
        note(tag, NOW_MS);
    former_note(&former, NULL, NOW_MS);
    for (uint8_t tag = 1; tag <= 4; tag++)
        assert_true(is_listed(tag, NOW_MS));
}

static void test_nothing_is_left_after_wiping(void **state)
{
    (void)state;
    note(7, NOW_MS);
    former_list(&former, NOW_MS, &gone);
    former_list_cleanup(&gone);
    former_wipe(&former);
    assert_false(is_listed(7, NOW_MS));
    for (size_t i = 0; i < sizeof former; i++)
        assert_int_equal(((const uint8_t *)&former)[i], 0);
}

#define TEST(test) cmocka_unit_test_setup(test, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_new_peer_has_none),
        TEST(test_link_is_named_for_two_minutes),
        TEST(test_newest_four_are_named),
        TEST(test_link_without_a_tag_pushes_none_out),
        TEST(test_nothing_is_left_after_wiping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
