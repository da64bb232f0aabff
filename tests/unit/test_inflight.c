/* SPDX-License-Identifier: ISC */
/*
 * Tests core/inflight: messages land in the order in which they were given, and one that ends
 * session after session is found out.
 */
#include "core/inflight.h"

#include "unit/cmocka_all.h"

static struct inflight inflight;

static int start(void **state)
{
    (void)state;
    inflight_init(&inflight);
    return inflight_start(&inflight);
}

static int finish(void **state)
{
    (void)state;
    inflight_deinit(&inflight);
    return 0;
}

static void test_messages_land_in_order(void **state)
{
    (void)state;
    assert_int_equal(inflight_oldest(&inflight), 0);
    for (int64_t seq = 100; seq < 103; seq++)
        inflight_give(&inflight, seq);
    for (int64_t seq = 100; seq < 103; seq++) {
        assert_int_equal(inflight_oldest(&inflight), seq);
        inflight_land(&inflight);
    }
    assert_int_equal(inflight_oldest(&inflight), 0);
}

static void test_full_window_has_room_as_soon_as_one_lands(void **state)
{
    (void)state;
    for (int64_t seq = 1; seq <= 3 * SESSION_WINDOW_ITEMS; seq++) {
        if (seq > SESSION_WINDOW_ITEMS) {
            assert_false(inflight_has_room(&inflight));
            assert_int_equal(inflight_oldest(&inflight), seq - SESSION_WINDOW_ITEMS);
            inflight_land(&inflight);
        }
        assert_true(inflight_has_room(&inflight));
        inflight_give(&inflight, seq);
    }
}

static void test_next_session_begins_with_the_head_of_the_queue(void **state)
{
    (void)state;
    inflight_give(&inflight, 7);
    inflight.position.mark = 7;
    inflight_end(&inflight);
    assert_int_equal(inflight.position.mark, 0);
    assert_int_equal(inflight_oldest(&inflight), 0);
    assert_int_equal(inflight_start(&inflight), 0);
    assert_true(inflight_has_room(&inflight));
}

/* A session in which one message is in flight when the peer ends it for an error. */
static int64_t blame(int64_t seq)
{
    assert_int_equal(inflight_start(&inflight), 0);
    inflight_give(&inflight, seq);
    return inflight_blame(&inflight);
}

static void test_message_that_ends_session_after_session_is_poison(void **state)
{
    (void)state;
    for (unsigned i = 1; i < INFLIGHT_POISON_SESSIONS; i++)
        assert_int_equal(blame(7), 0);
    assert_int_equal(blame(7), 7);
}

static void test_under_suspicion_messages_go_one_by_one(void **state)
{
    (void)state;
    assert_int_equal(blame(7), 0);
    inflight_end(&inflight);
    assert_int_equal(inflight_start(&inflight), 0);
    assert_true(inflight_has_room(&inflight));
    inflight_give(&inflight, 7);
    assert_false(inflight_has_room(&inflight));
    inflight_land(&inflight);
    inflight_give(&inflight, 8);
    assert_true(inflight_has_room(&inflight));
}

static void test_another_head_is_another_suspect(void **state)
{
    (void)state;
    for (unsigned i = 1; i < INFLIGHT_POISON_SESSIONS; i++)
        assert_int_equal(blame(7), 0);
    assert_int_equal(blame(8), 0);
    assert_int_equal(blame(7), 0);
}

static void test_whatever_lands_clears_the_suspicion(void **state)
{
    (void)state;
    for (unsigned i = 1; i < INFLIGHT_POISON_SESSIONS; i++)
        assert_int_equal(blame(7), 0);
    assert_int_equal(inflight_start(&inflight), 0);
    inflight_give(&inflight, 7);
    inflight_land(&inflight);
    assert_int_equal(blame(7), 0);
}

static void test_nobody_is_blamed_when_nothing_is_in_flight(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= INFLIGHT_POISON_SESSIONS; i++)
        assert_int_equal(inflight_blame(&inflight), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_messages_land_in_order),
        TEST(test_full_window_has_room_as_soon_as_one_lands),
        TEST(test_next_session_begins_with_the_head_of_the_queue),
        TEST(test_message_that_ends_session_after_session_is_poison),
        TEST(test_under_suspicion_messages_go_one_by_one),
        TEST(test_another_head_is_another_suspect),
        TEST(test_whatever_lands_clears_the_suspicion),
        TEST(test_nobody_is_blamed_when_nothing_is_in_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
