/* SPDX-License-Identifier: ISC */
/*
 * Named consumers: a position that only goes forward, and survives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/consumers.h"
#include "unit/scratch_db.h"

static void set(struct scratch *scratch, const char *name, int64_t seq, uint64_t used_ms)
{
    const struct consumer_row row = {name, seq, used_ms};
    assert_int_equal(consumers_set(scratch->db, &row), 0);
}

static int64_t position(struct scratch *scratch, const char *name)
{
    int64_t seq = -1;
    assert_int_equal(consumers_find(scratch->db, name, &seq), 0);
    return seq;
}

static void test_an_unknown_name_is_not_found(void **state)
{
    struct scratch *scratch = *state;
    int64_t seq;
    assert_int_equal(consumers_find(scratch->db, "nobody", &seq), DB_NOT_FOUND);
    assert_int_equal(consumers_remove(scratch->db, "nobody"), DB_NOT_FOUND);
}

static void test_a_position_survives_a_restart(void **state)
{
    struct scratch *scratch = *state;
    set(scratch, "backup", 17, 1);
    scratch_commit(scratch);
    set(scratch, "backup", 99, 2); /* not committed: lost */
    scratch_reopen(scratch);
    assert_int_equal(position(scratch, "backup"), 17);
}

static void test_a_position_never_goes_back(void **state)
{
    struct scratch *scratch = *state;
    set(scratch, "backup", 17, 1);
    set(scratch, "backup", 16, 2);
    assert_int_equal(position(scratch, "backup"), 17);
    set(scratch, "backup", 18, 3);
    assert_int_equal(position(scratch, "backup"), 18);
}

static void test_a_removed_consumer_is_gone(void **state)
{
    struct scratch *scratch = *state;
    int64_t seq;
    set(scratch, "backup", 17, 1);
    assert_int_equal(consumers_remove(scratch->db, "backup"), 0);
    assert_int_equal(consumers_find(scratch->db, "backup", &seq), DB_NOT_FOUND);
}

static int count(void *context, const struct consumer_row *row)
{
    unsigned *counted = context;
    assert_true(strlen(row->name) > 0);
    ++*counted;
    return 0;
}

static void test_one_too_many_takes_the_place_of_the_one_used_least_lately(void **state)
{
    struct scratch *scratch = *state;
    char name[32];
    int64_t seq;
    unsigned counted = 0;
    for (unsigned n = 0; n < CONSUMERS_MAX; n++) {
        snprintf(name, sizeof name, "consumer-%u", n);
        set(scratch, name, n, 1000 + n);
    }
    set(scratch, "consumer-0", 5, 5000);
    set(scratch, "newcomer", 7, 5001);
    assert_int_equal(position(scratch, "newcomer"), 7);
    assert_int_equal(position(scratch, "consumer-0"), 5);
    assert_int_equal(consumers_find(scratch->db, "consumer-1", &seq), DB_NOT_FOUND);
    assert_int_equal(consumers_each(scratch->db, count, &counted), 0);
    assert_int_equal(counted, CONSUMERS_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_unknown_name_is_not_found),
        TEST(test_a_position_survives_a_restart),
        TEST(test_a_position_never_goes_back),
        TEST(test_a_removed_consumer_is_gone),
        TEST(test_one_too_many_takes_the_place_of_the_one_used_least_lately),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
