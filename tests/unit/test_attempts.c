/* SPDX-License-Identifier: ISC */
/*
 * Tests core/attempts.
 */
#include "core/attempts.h"

#include <stdio.h>

#include "net/dialer.h"
#include "unit/cmocka_all.h"

static void note(struct attempts *attempts, unsigned number, enum attempt_end outcome,
                 uint64_t time_ms)
{
    struct attempt attempt = {
        .address = {.port = 1}, .outcome = outcome, .error = "no", .time_ms = time_ms};
    snprintf(attempt.address.host, sizeof attempt.address.host, "host-%u", number);
    attempts_note(attempts, &attempt);
}

static const struct attempt *find(const struct attempts *attempts, unsigned number)
{
    struct address address = {.port = 1};
    snprintf(address.host, sizeof address.host, "host-%u", number);
    return attempts_find(attempts, &address);
}

static void test_each_address_has_its_latest_attempt(void **state)
{
    (void)state;
    struct attempts attempts = {0};
    assert_null(find(&attempts, 1));
    assert_false(attempts_any(&attempts, ATTEMPT_UNREACHED));
    note(&attempts, 1, ATTEMPT_UNREACHED, 10);
    note(&attempts, 2, ATTEMPT_OTHER_KEY, 20);
    note(&attempts, 1, ATTEMPT_REFUSED, 30);
    assert_int_equal(attempts.count, 2);
    assert_int_equal(find(&attempts, 1)->time_ms, 30);
    assert_true(attempts_any(&attempts, ATTEMPT_OTHER_KEY));
    assert_false(attempts_any(&attempts, ATTEMPT_UNREACHED));
    attempts_clear(&attempts);
    assert_null(find(&attempts, 2));
    assert_int_equal(attempts.count, 0);
}

static void test_the_oldest_goes_when_there_are_too_many(void **state)
{
    (void)state;
    struct attempts attempts = {0};
    for (unsigned i = 0; i <= DIAL_WAYS_MAX; i++)
        note(&attempts, i, ATTEMPT_UNREACHED, i == 0 ? 50 : 10 + i);
    assert_int_equal(attempts.count, DIAL_WAYS_MAX);
    assert_non_null(find(&attempts, 0));
    assert_null(find(&attempts, 1));
    assert_non_null(find(&attempts, DIAL_WAYS_MAX));
    attempts_clear(&attempts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_address_has_its_latest_attempt),
        cmocka_unit_test(test_the_oldest_goes_when_there_are_too_many),
    };
    return cmocka_run_group_tests_name("attempts", tests, NULL, NULL);
}
