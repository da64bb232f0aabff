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
    window_deinit(&window);
    return 0;
}

/* Adds an item, whose handle is 100 and its ordinal. */
static void add(size_t size, uint64_t now_ms)
{
    assert_int_equal(window_reserve(&window), 0);
    window_add(&window, size, 101 + (int64_t)window.queued, now_ms);
}

static void test_window_ends_at_its_number_of_items(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SESSION_WINDOW_ITEMS; i++) {
        assert_true(window_has_room(&window, 1));
        add(1, 0);
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
    add(SESSION_WINDOW_BYTES - 1, 0);
    assert_true(window_has_room(&window, 1));
    assert_false(window_has_room(&window, 2));
}

static void test_only_sent_items_can_be_acknowledged_once(void **state)
{
    (void)state;
    assert_false(window_acknowledge(&window, 0, 0));
    assert_false(window_acknowledge(&window, 1, 0));
    add(10, 0);
    add(10, 0);
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
    add(1, 100);
    add(1, 200);
    assert_true(window_waiting_since_ms(&window) == 100);
    window_mark_sent(&window, 2);
    window_acknowledge(&window, 1, 300);
    assert_true(window_waiting_since_ms(&window) == 300);
    window_acknowledge(&window, 2, 400);
    assert_true(window_waiting_since_ms(&window) == UINT64_MAX);
    add(1, 900);
    assert_true(window_waiting_since_ms(&window) == 900);
}

static void test_items_keep_their_handles_until_others_take_their_places(void **state)
{
    (void)state;
    assert_int_equal(window_handle(&window, 1), 0);
    for (uint64_t ordinal = 1; ordinal <= 3 * SESSION_WINDOW_ITEMS; ordinal++) {
        add(1, 0);
        assert_int_equal(window_handle(&window, ordinal), 100 + (int64_t)ordinal);
        assert_int_equal(window_handle(&window, ordinal + 1), 0);
        window_mark_sent(&window, 1);
        assert_true(window_acknowledge(&window, ordinal, 0));
        assert_int_equal(window_handle(&window, ordinal), 100 + (int64_t)ordinal);
    }
    const uint64_t last = window.queued;
    assert_int_equal(window_handle(&window, last - SESSION_WINDOW_ITEMS), 0);
    assert_int_equal(window_handle(&window, last - SESSION_WINDOW_ITEMS + 1),
                     101 + (int64_t)(last - SESSION_WINDOW_ITEMS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_window_ends_at_its_number_of_items, clear),
        cmocka_unit_test_teardown(test_window_ends_at_its_bytes_but_one_item_always_fits, clear),
        cmocka_unit_test_teardown(test_only_sent_items_can_be_acknowledged_once, clear),
        cmocka_unit_test_teardown(test_waiting_counts_from_the_last_progress, clear),
        cmocka_unit_test_teardown(test_items_keep_their_handles_until_others_take_their_places,
                                  clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
