/* SPDX-License-Identifier: ISC */
/*
 * The window of items in flight.
 */
#include "proto/window.h"
#include "unit/cmocka_all.h"

static struct window window;

static int clear(void **state)
{
    (void)state;
    window = (struct window){0};
    return 0;
}

static void test_window_ends_at_its_number_of_items(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SESSION_WINDOW_ITEMS; i++) {
        assert_true(window_has_room(&window, 1));
        window_add(&window, 1, 0);
    }
    assert_false(window_has_room(&window, 1));
    window_mark_sent(&window, 1);
    assert_true(window_acknowledge(&window, 1, 0));
    assert_true(window_has_room(&window, 1));
}

static void test_window_ends_at_its_bytes_but_one_item_always_fits(void **state)
{
    (void)state;
    assert_true(window_has_room(&window, SESSION_WINDOW_BYTES + 1));
    window_add(&window, SESSION_WINDOW_BYTES - 1, 0);
    assert_true(window_has_room(&window, 1));
    assert_false(window_has_room(&window, 2));
}

static void test_only_sent_items_can_be_acknowledged_once(void **state)
{
    (void)state;
    assert_false(window_acknowledge(&window, 0, 0));
    assert_false(window_acknowledge(&window, 1, 0));
    window_add(&window, 10, 0);
    window_add(&window, 10, 0);
    assert_false(window_acknowledge(&window, 1, 0));
    window_mark_sent(&window, 2);
    assert_true(window_acknowledge(&window, 2, 0));
    assert_false(window_acknowledge(&window, 2, 0));
    assert_false(window_acknowledge(&window, 1, 0));
    assert_false(window_acknowledge(&window, UINT64_MAX, 0));
    assert_int_equal(window.bytes, 0);
}

static void test_waiting_counts_from_the_last_progress(void **state)
{
    (void)state;
    assert_true(window_waiting_since_ms(&window) == UINT64_MAX);
    window_add(&window, 1, 100);
    window_add(&window, 1, 200);
    assert_true(window_waiting_since_ms(&window) == 100);
    window_mark_sent(&window, 2);
    window_acknowledge(&window, 1, 300);
    assert_true(window_waiting_since_ms(&window) == 300);
    window_acknowledge(&window, 2, 400);
    assert_true(window_waiting_since_ms(&window) == UINT64_MAX);
    window_add(&window, 1, 900);
    assert_true(window_waiting_since_ms(&window) == 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_window_ends_at_its_number_of_items, clear),
        cmocka_unit_test_setup(test_window_ends_at_its_bytes_but_one_item_always_fits, clear),
        cmocka_unit_test_setup(test_only_sent_items_can_be_acknowledged_once, clear),
        cmocka_unit_test_setup(test_waiting_counts_from_the_last_progress, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
