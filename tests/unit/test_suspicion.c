/* SPDX-License-Identifier: ISC */
/*
 * Tests core/suspicion: a message that ends session after session is found out, and no other.
 */
#include "core/suspicion.h"

#include "unit/cmocka_all.h"

static struct suspicion suspicion;

static int start(void **state)
{
    (void)state;
    suspicion = (struct suspicion){0};
    return 0;
}

/* So many sessions, one less than it takes, end while the message is the oldest in flight. */
static void suspect(int64_t seq)
{
    for (unsigned i = 1; i < SUSPICION_SESSIONS; i++)
        assert_false(suspicion_blames(&suspicion, seq));
}

static void test_message_that_ends_session_after_session_is_to_blame(void **state)
{
    (void)state;
    suspect(7);
    assert_true(suspicion_blames(&suspicion, 7));
    assert_false(suspicion_raised(&suspicion));
}

static void test_under_suspicion_messages_go_one_by_one(void **state)
{
    (void)state;
    assert_false(suspicion_raised(&suspicion));
    assert_false(suspicion_blames(&suspicion, 7));
    assert_true(suspicion_raised(&suspicion));
}

static void test_another_message_is_another_suspect(void **state)
{
    (void)state;
    suspect(7);
    assert_false(suspicion_blames(&suspicion, 8));
    assert_true(suspicion_raised(&suspicion));
    assert_false(suspicion_blames(&suspicion, 7));
}

static void test_whatever_is_taken_clears_the_suspicion(void **state)
{
    (void)state;
    suspect(7);
    suspicion_clear(&suspicion);
    assert_false(suspicion_raised(&suspicion));
    assert_false(suspicion_blames(&suspicion, 7));
}

static void test_nothing_is_blamed_when_nothing_is_in_flight(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= SUSPICION_SESSIONS; i++)
        assert_false(suspicion_blames(&suspicion, 0));
    assert_false(suspicion_raised(&suspicion));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_message_that_ends_session_after_session_is_to_blame, start),
        cmocka_unit_test_setup(test_under_suspicion_messages_go_one_by_one, start),
        cmocka_unit_test_setup(test_another_message_is_another_suspect, start),
        cmocka_unit_test_setup(test_whatever_is_taken_clears_the_suspicion, start),
        cmocka_unit_test_setup(test_nothing_is_blamed_when_nothing_is_in_flight, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
