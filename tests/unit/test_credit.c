/* SPDX-License-Identifier: ISC */
/*
 * Tests core/credit: how memory is promised to streams, and that no peer takes it from all others.
 */
#include "core/credit.h"
#include "unit/cmocka_all.h"

static struct credit_pool pool;
static struct credit_share shares[2];

static int set_up(void **state)
{
    (void)state;
    pool = (struct credit_pool){0};
    for (unsigned i = 0; i < 2; i++)
        shares[i] = (struct credit_share){.pool = &pool};
    return 0;
}

/* A stream that has grown as far as it may. */
static size_t grown(struct credit_share *share)
{
    size_t credit = CREDIT_BASE;
    credit_begin(share);
    while (credit_grow(share, &credit))
        continue;
    return credit;
}

static void test_a_stream_alone_has_the_most_that_one_may_have(void **state)
{
    (void)state;
    assert_int_equal(grown(&shares[0]), CREDIT_MAX);
    assert_int_equal(pool.granted, CREDIT_MAX - CREDIT_BASE);
}

static void test_a_fourth_is_never_promised(void **state)
{
    (void)state;
    grown(&shares[0]);
    for (unsigned i = 0; i < 100; i++)
        grown(&shares[0]);
    assert_in_range(pool.granted, CREDIT_SPARE / 2, CREDIT_SPARE / 4 * 3);
    assert_int_equal(grown(&shares[0]), CREDIT_BASE);
}

static void test_a_peer_has_a_fourth_while_another_has_streams(void **state)
{
    size_t other = CREDIT_BASE;
    (void)state;
    credit_begin(&shares[1]);
    for (unsigned i = 0; i < 200; i++)
        grown(&shares[0]);
    assert_in_range(shares[0].granted, CREDIT_SPARE / 8, CREDIT_SPARE / 4);
    assert_true(credit_grow(&shares[1], &other));
    assert_int_equal(other, 2 * CREDIT_BASE);
}

static void test_what_was_promised_comes_back(void **state)
{
    size_t one, other;
    (void)state;
    one = grown(&shares[0]);
    other = grown(&shares[1]);
    assert_true(other < one);
    credit_end(&shares[0], one);
    assert_int_equal(shares[0].granted, 0);
    assert_int_equal(pool.sharers, 1);
    while (credit_grow(&shares[1], &other))
        continue;
    assert_int_equal(other, CREDIT_MAX); /* it is alone now */
    credit_end(&shares[1], other);
    assert_int_equal(pool.granted, 0);
    assert_int_equal(pool.sharers, 0);
}

#define TEST(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_stream_alone_has_the_most_that_one_may_have),
        TEST(test_a_fourth_is_never_promised),
        TEST(test_a_peer_has_a_fourth_while_another_has_streams),
        TEST(test_what_was_promised_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
