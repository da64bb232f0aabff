/* SPDX-License-Identifier: ISC */
/*
 * The judgement over a silent connection.
 */
#include "net/pulse.h"
#include "unit/cmocka_all.h"

enum { START_MS = 1000000 };

static const struct pulse_facts rest = {.waiting = false};
static const struct pulse_facts sent = {.waiting = true, .silent_ms = 400000};
static const struct pulse_facts silence = {
    .waiting = true, .unanswered = true, .silent_ms = 400000};

static void test_nothing_under_way_needs_no_answer(void **state)
{
    struct pulse pulse = {0};
    (void)state;
    assert_int_equal(pulse_judge(&pulse, &rest, START_MS), PULSE_RESTING);
}

static void test_what_is_answered_goes_on(void **state)
{
    struct pulse pulse = {0};
    (void)state;
    for (uint64_t ms = 0; ms < 3600 * 1000; ms += PULSE_INTERVAL_MS)
        assert_int_equal(pulse_judge(&pulse, &sent, START_MS + ms), PULSE_BEATING);
}

static void test_silence_of_fifteen_seconds_is_the_end(void **state)
{
    struct pulse pulse = {0};
    (void)state;
    assert_int_equal(pulse_judge(&pulse, &silence, START_MS), PULSE_BEATING);
    assert_int_equal(pulse_judge(&pulse, &silence, START_MS + 5000), PULSE_BEATING);
    assert_int_equal(pulse_judge(&pulse, &silence, START_MS + 9999), PULSE_BEATING);
    assert_int_equal(pulse_judge(&pulse, &silence, START_MS + 10000), PULSE_GONE);
}

static void test_silence_counts_from_the_last_acknowledgement(void **state)
{
    struct pulse_facts facts = {.waiting = true, .unanswered = true, .silent_ms = 1000};
    struct pulse pulse = {0};
    (void)state;
    assert_int_equal(pulse_judge(&pulse, &facts, START_MS), PULSE_BEATING);
    facts.silent_ms += 13999;
    assert_int_equal(pulse_judge(&pulse, &facts, START_MS + 13999), PULSE_BEATING);
    assert_int_equal(pulse_judge(&pulse, &facts, START_MS + 14000), PULSE_GONE);
}

/* Our kernel has to get a chance to send again, and the answer to come. */
static void test_silence_may_be_longer_where_the_wire_is_slow(void **state)
{
    const struct pulse_facts slow = {
        .waiting = true, .unanswered = true, .silent_ms = 1000, .resend_ms = 35000};
    struct pulse pulse = {0};
    (void)state;
    assert_int_equal(pulse_judge(&pulse, &slow, START_MS), PULSE_BEATING);
    assert_int_equal(pulse_judge(&pulse, &slow, START_MS + 68999), PULSE_BEATING);
    assert_int_equal(pulse_judge(&pulse, &slow, START_MS + 69000), PULSE_GONE);
}

/* The kernel probes a window that stays closed ever more rarely: the silence between is none. */
static void test_an_answer_ends_the_suspicion(void **state)
{
    struct pulse pulse = {0};
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        uint64_t ms = START_MS + i * 60000;
        assert_int_equal(pulse_judge(&pulse, &silence, ms), PULSE_BEATING);
        assert_int_equal(pulse_judge(&pulse, &silence, ms + 5000), PULSE_BEATING);
        assert_int_equal(pulse_judge(&pulse, i % 2 ? &sent : &rest, ms + 8000),
                         i % 2 ? PULSE_BEATING : PULSE_RESTING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_under_way_needs_no_answer),
        cmocka_unit_test(test_what_is_answered_goes_on),
        cmocka_unit_test(test_silence_of_fifteen_seconds_is_the_end),
        cmocka_unit_test(test_silence_counts_from_the_last_acknowledgement),
        cmocka_unit_test(test_silence_may_be_longer_where_the_wire_is_slow),
        cmocka_unit_test(test_an_answer_ends_the_suspicion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
