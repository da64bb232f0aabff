/* SPDX-License-Identifier: ISC */
/*
 * PINGs: how many may be open, how many per time, and which answer fits which.
 */
#include "proto/pings.h"
#include "unit/cmocka_all.h"

enum { T = 5000000 };

static void test_at_most_four_are_open(void **state)
{
    struct pings pings = {0};
    struct ping ping;
    (void)state;
    for (uint64_t i = 0; i < PINGS_OPEN_MAX; i++)
        assert_true(pings_add(&pings, i, true, T));
    assert_false(pings_add(&pings, 4, true, T));
    pings_mark_sent(&pings, T);
    assert_true(pings_answer(&pings, 0, &ping));
    assert_true(pings_add(&pings, 4, true, T));
}

static void test_answers_come_in_order_and_only_to_what_was_sent(void **state)
{
    struct pings pings = {0};
    struct ping ping;
    (void)state;
    assert_false(pings_answer(&pings, 0, &ping));
    pings_add(&pings, 1, true, T);
    assert_false(pings_answer(&pings, 1, &ping));
    pings_mark_sent(&pings, T);
    pings_add(&pings, 2, false, T);
    assert_int_equal(pings_unsent(&pings), 1);
    assert_false(pings_answer(&pings, 2, &ping));
    assert_true(pings_answer(&pings, 1, &ping));
    assert_true(ping.asked);
    assert_false(pings_answer(&pings, 2, &ping));
    pings_mark_sent(&pings, T);
    assert_true(pings_answer(&pings, 2, &ping));
    assert_false(ping.asked);
    assert_true(pings_oldest_ms(&pings) == UINT64_MAX);
}

static void test_patience_counts_from_when_it_left(void **state)
{
    struct pings pings = {0};
    (void)state;
    pings_add(&pings, 1, true, T);
    assert_true(pings_oldest_ms(&pings) == T);
    pings_mark_sent(&pings, T + 7);
    assert_true(pings_oldest_ms(&pings) == T + 7);
    pings_mark_sent(&pings, T + 9);
    assert_true(pings_oldest_ms(&pings) == T + 7);
}

static void test_peer_may_send_ten_in_any_ten_seconds(void **state)
{
    struct pings pings = {0};
    (void)state;
    for (unsigned i = 0; i < PINGS_RECEIVED_MAX; i++)
        assert_true(pings_receive(&pings, T + i));
    assert_false(pings_receive(&pings, T + PINGS_WINDOW_MS - 1));
    assert_true(pings_receive(&pings, T + PINGS_WINDOW_MS));
    assert_false(pings_receive(&pings, T + PINGS_WINDOW_MS));
    assert_true(pings_receive(&pings, T + PINGS_WINDOW_MS + 1));
}

static void test_limit_holds_from_time_zero_on(void **state)
{
    struct pings pings = {0};
    (void)state;
    for (unsigned i = 0; i < PINGS_RECEIVED_MAX; i++)
        assert_true(pings_receive(&pings, 0));
    assert_false(pings_receive(&pings, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_most_four_are_open),
        cmocka_unit_test(test_answers_come_in_order_and_only_to_what_was_sent),
        cmocka_unit_test(test_patience_counts_from_when_it_left),
        cmocka_unit_test(test_peer_may_send_ten_in_any_ten_seconds),
        cmocka_unit_test(test_limit_holds_from_time_zero_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
