/* SPDX-License-Identifier: ISC */
/*
 * Tests core/hearsay: what a peer may make us dial, and how often.
 */
#include "core/hearsay.h"

#include <stdio.h>

#include "unit/cmocka_all.h"

enum { WALL_MS = 1700000000 };

static struct hearsay hearsay;

static int start(void **state)
{
    (void)state;
    hearsay = (struct hearsay){0};
    return 0;
}

static int finish(void **state)
{
    (void)state;
    hearsay_deinit(&hearsay);
    return 0;
}

static struct address address(const char *text)
{
    struct address parsed;
    assert_int_equal(address_parse(text, &parsed), 0);
    return parsed;
}

/* --- what is chosen --------------------------------------------------------------------------- */

static bool is_chosen(const char *text)
{
    const struct address told = address(text), own = address("198.51.100.1:8766");
    struct address chosen[TOLD_MAX];
    return hearsay_choose(&told, 1, &own, 1, chosen) == 1 && address_equal(&chosen[0], &told);
}

static void test_only_public_addresses_with_high_ports_are_dialled(void **state)
{
    static const char *const good[] = {"203.0.113.1:8766", "[2a00:1450::1]:1024", "8.8.8.8:65535",
                                       "198.51.100.1:8767"};
    static const char *const bad[] = {
        "203.0.113.1:1023",
        "203.0.113.1:0",
        "198.51.100.1:8766", /* ours */
        "0.0.0.1:8766",
        "10.1.2.3:8766",
        "100.64.0.1:8766",
        "100.127.255.255:8766",
        "127.0.0.1:8766",
        "169.254.169.254:8766",
        "172.16.0.1:8766",
        "172.31.255.255:8766",
        "192.0.0.9:8766",
        "192.168.1.1:8766",
        "224.0.0.1:8766",
        "240.0.0.1:8766",
        "255.255.255.255:8766",
        "[::]:8766",
        "[::1]:8766",
        "[::8.8.8.8]:8766",
        "[::ffff:8.8.8.8]:8766",
        "[64:ff9b::10.0.0.1]:8766",
        "[64:ff9b:1::1]:8766",
        "[2001:0:1::1]:8766",
        "[2002:0a00:1::1]:8766",
        "[fc00::1]:8766",
        "[fd00::1]:8766",
        "[fe80::1]:8766",
        "[fec0::1]:8766",
        "[ff02::1]:8766",
        "host.example:8766",
        "2130706433:8766",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(is_chosen(good[i]));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(is_chosen(bad[i]));
}

static void test_at_most_two_of_a_network_are_dialled(void **state)
{
    const struct address told[] = {
        address("8.8.8.1:8766"),         address("8.8.8.2:8766"),
        address("8.8.8.3:8766"),         address("8.8.8.1:9000"),
        address("8.8.9.1:8766"),         address("[2a00:1:2:3::1]:8766"),
        address("[2a00:1:2:3::2]:8766"), address("[2a00:1:2:3::3]:8766"),
        address("[2a00:1:2:4::1]:8766"), address("8.8.9.1:8766"),
    };
    static const unsigned expected[] = {0, 1, 4, 5, 6, 8};
    struct address chosen[TOLD_MAX];
    (void)state;
    unsigned count = hearsay_choose(told, COUNT_OF(told), NULL, 0, chosen);
    assert_int_equal(count, COUNT_OF(expected));
    for (unsigned i = 0; i < count; i++)
        assert_true(address_equal(&chosen[i], &told[expected[i]]));
}

static void test_twelve_lists_a_minute_are_looked_at(void **state)
{
    const uint64_t now_ms = 5000000;
    (void)state;
    for (unsigned i = 0; i < 12; i++)
        assert_true(hearsay_allowed(&hearsay, now_ms + i));
    assert_false(hearsay_allowed(&hearsay, now_ms + 59999));
    assert_true(hearsay_allowed(&hearsay, now_ms + 60000));
}

/* --- what is remembered ----------------------------------------------------------------------- */

static unsigned ways(uint64_t wall_ms)
{
    struct address list[TOLD_MAX];
    return hearsay_next_round(&hearsay, wall_ms, list);
}

static void test_a_list_takes_the_place_of_the_one_before(void **state)
{
    const struct address told[] = {address("8.8.8.1:8766"), address("8.8.8.2:8766")};
    struct address list[TOLD_MAX];
    (void)state;
    assert_int_equal(ways(WALL_MS), 0);
    assert_int_equal(hearsay_take(&hearsay, told, 2, WALL_MS), 1);
    assert_int_equal(hearsay_take(&hearsay, told, 2, WALL_MS), 0);
    assert_int_equal(ways(WALL_MS), 2);
    assert_int_equal(hearsay_take(&hearsay, told + 1, 1, WALL_MS), 1);
    assert_int_equal(hearsay_next_round(&hearsay, WALL_MS, list), 1);
    assert_true(address_equal(&list[0], &told[1]));
    assert_int_equal(hearsay_take(&hearsay, NULL, 0, WALL_MS), 1);
    assert_int_equal(ways(WALL_MS), 0);
}

static void test_what_was_told_is_forgotten_after_thirty_days(void **state)
{
    const uint64_t days = UINT64_C(30) * 86400 * 1000;
    const struct address told = address("8.8.8.1:8766");
    (void)state;
    hearsay_take(&hearsay, &told, 1, WALL_MS);
    assert_int_equal(ways(WALL_MS + days), 1);
    assert_int_equal(ways(WALL_MS + days + 1), 0);
}

static void test_what_fails_five_times_sits_out_until_it_is_told_again(void **state)
{
    const struct address told[] = {address("8.8.8.1:8766"), address("8.8.9.1:8766")};
    (void)state;
    hearsay_take(&hearsay, told, 2, WALL_MS);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(ways(WALL_MS), 2);
        hearsay_failed(&hearsay, &told[0]);
    }
    unsigned whole = 0;
    for (unsigned i = 0; i < 32; i++) {
        unsigned count = ways(WALL_MS);
        assert_true(count == 1 || count == 2);
        whole += count == 2;
    }
    assert_int_equal(whole, 32 / 8);
    hearsay_take(&hearsay, told, 2, WALL_MS);
    assert_int_equal(ways(WALL_MS), 2);
}

static void test_it_is_written_every_ten_minutes_at_most(void **state)
{
    (void)state;
    assert_true(hearsay_store_due(&hearsay, WALL_MS));
    assert_false(hearsay_store_due(&hearsay, WALL_MS + 599999));
    assert_true(hearsay_store_due(&hearsay, WALL_MS + 600000));
    assert_false(hearsay_store_due(&hearsay, WALL_MS + 600001));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_only_public_addresses_with_high_ports_are_dialled),
        TEST(test_at_most_two_of_a_network_are_dialled),
        TEST(test_twelve_lists_a_minute_are_looked_at),
        TEST(test_a_list_takes_the_place_of_the_one_before),
        TEST(test_what_was_told_is_forgotten_after_thirty_days),
        TEST(test_what_fails_five_times_sits_out_until_it_is_told_again),
        TEST(test_it_is_written_every_ten_minutes_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
