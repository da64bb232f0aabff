/*
 * Tests core/flight: messages land in the order in which they were given, and one that ends session
 * after session is found out.
 */
#include "core/flight.h"

#include "unit/cmocka_all.h"

static struct flight flight;

static int start(void **state)
{
    (void)state;
    flight_init(&flight);
    return flight_start(&flight);
}

static int finish(void **state)
{
    (void)state;
    flight_deinit(&flight);
    return 0;
}

static void test_messages_land_in_order(void **state)
{
    (void)state;
    assert_int_equal(flight_oldest(&flight), 0);
    for (int64_t seq = 100; seq < 103; seq++)
        flight_give(&flight, seq);
    assert_int_equal(flight.cursor, 102);
    for (int64_t seq = 100; seq < 103; seq++) {
        assert_int_equal(flight_oldest(&flight), seq);
        flight_land(&flight);
    }
    assert_int_equal(flight_oldest(&flight), 0);
}

static void test_full_window_has_room_as_soon_as_one_lands(void **state)
{
    (void)state;
    for (int64_t seq = 1; seq <= 3 * SESSION_WINDOW_ITEMS; seq++) {
        if (seq > SESSION_WINDOW_ITEMS) {
            assert_false(flight_has_room(&flight));
            assert_int_equal(flight_oldest(&flight), seq - SESSION_WINDOW_ITEMS);
            flight_land(&flight);
        }
        assert_true(flight_has_room(&flight));
        flight_give(&flight, seq);
    }
}

static void test_next_session_begins_with_the_head_of_the_queue(void **state)
{
    (void)state;
    flight_give(&flight, 7);
    flight_end(&flight);
    assert_int_equal(flight.cursor, 0);
    assert_int_equal(flight_oldest(&flight), 0);
    assert_int_equal(flight_start(&flight), 0);
    assert_true(flight_has_room(&flight));
}

static void test_rewound_queue_begins_again_when_all_in_flight_has_landed(void **state)
{
    (void)state;
    flight_give(&flight, 7);
    flight_give(&flight, 8);
    flight_rewind(&flight);
    assert_false(flight_has_room(&flight));
    flight_land(&flight);
    assert_false(flight_has_room(&flight));
    assert_int_equal(flight.cursor, 8);
    flight_land(&flight);
    assert_true(flight_has_room(&flight));
    assert_int_equal(flight.cursor, 0);
    flight_give(&flight, 3);
    flight_land(&flight);
    assert_int_equal(flight.cursor, 3);
    flight_rewind(&flight);
    assert_true(flight_has_room(&flight));
    assert_int_equal(flight.cursor, 0);
}

/* A session in which one message is in flight when the peer ends it for an error. */
static int64_t blame(int64_t seq)
{
    assert_int_equal(flight_start(&flight), 0);
    flight_give(&flight, seq);
    return flight_blame(&flight);
}

static void test_message_that_ends_session_after_session_is_poison(void **state)
{
    (void)state;
    for (unsigned i = 1; i < FLIGHT_POISON_SESSIONS; i++)
        assert_int_equal(blame(7), 0);
    assert_int_equal(blame(7), 7);
}

static void test_another_head_is_another_suspect(void **state)
{
    (void)state;
    for (unsigned i = 1; i < FLIGHT_POISON_SESSIONS; i++)
        assert_int_equal(blame(7), 0);
    assert_int_equal(blame(8), 0);
    assert_int_equal(blame(7), 0);
}

static void test_whatever_lands_clears_the_suspicion(void **state)
{
    (void)state;
    for (unsigned i = 1; i < FLIGHT_POISON_SESSIONS; i++)
        assert_int_equal(blame(7), 0);
    assert_int_equal(flight_start(&flight), 0);
    flight_give(&flight, 7);
    flight_land(&flight);
    assert_int_equal(blame(7), 0);
}

static void test_nobody_is_blamed_when_nothing_is_in_flight(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= FLIGHT_POISON_SESSIONS; i++)
        assert_int_equal(flight_blame(&flight), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_messages_land_in_order),
        TEST(test_full_window_has_room_as_soon_as_one_lands),
        TEST(test_next_session_begins_with_the_head_of_the_queue),
        TEST(test_rewound_queue_begins_again_when_all_in_flight_has_landed),
        TEST(test_message_that_ends_session_after_session_is_poison),
        TEST(test_another_head_is_another_suspect),
        TEST(test_whatever_lands_clears_the_suspicion),
        TEST(test_nobody_is_blamed_when_nothing_is_in_flight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
