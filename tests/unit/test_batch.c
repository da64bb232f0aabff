/* SPDX-License-Identifier: ISC */
/*
 * The size of packets.
 */
#include "proto/batch.h"
#include "unit/cmocka_all.h"

static struct batch batch;
static uint64_t ordinal;

static int start(void **state)
{
    (void)state;
    batch_init(&batch);
    ordinal = 0;
    return 0;
}

/* A packet of this size is acknowledged after so long. */
static void send_one(size_t size, uint64_t took_ms)
{
    batch_sent(&batch, size, ++ordinal, 1000);
    batch_acknowledged(&batch, ordinal, 1000 + took_ms);
}

static void test_packets_grow_while_acknowledgements_come_quickly(void **state)
{
    (void)state;
    assert_int_equal(batch.size, BATCH_SIZE_MIN);
    for (size_t size = BATCH_SIZE_MIN; size < BATCH_SIZE_MAX; size *= 2) {
        assert_int_equal(batch.size, size);
        send_one(size, BATCH_QUICK_MS);
    }
    send_one(BATCH_SIZE_MAX, 0);
    assert_int_equal(batch.size, BATCH_SIZE_MAX);
}

static void test_packets_shrink_when_acknowledgements_are_slow(void **state)
{
    (void)state;
    batch.size = BATCH_SIZE_MAX;
    for (size_t size = BATCH_SIZE_MAX; size > BATCH_SIZE_MIN; size /= 2) {
        assert_int_equal(batch.size, size);
        send_one(size, BATCH_SLOW_MS + 1);
    }
    send_one(BATCH_SIZE_MIN, BATCH_SLOW_MS + 1);
    assert_int_equal(batch.size, BATCH_SIZE_MIN);
}

static void test_in_between_the_size_stays(void **state)
{
    (void)state;
    batch.size = 16384;
    send_one(16384, BATCH_QUICK_MS + 1);
    send_one(16384, BATCH_SLOW_MS);
    assert_int_equal(batch.size, 16384);
}

static void test_small_packets_say_nothing_about_large_ones(void **state)
{
    (void)state;
    batch.size = 16384;
    send_one(8191, 0);
    assert_int_equal(batch.size, 16384);
    send_one(8192, 0);
    assert_int_equal(batch.size, 32768);
}

static void test_only_the_packet_that_is_watched_counts(void **state)
{
    (void)state;
    batch_sent(&batch, BATCH_SIZE_MIN, 10, 1000);
    batch_sent(&batch, BATCH_SIZE_MIN, 20, 5000);
    batch_acknowledged(&batch, 9, 1001);
    assert_int_equal(batch.size, BATCH_SIZE_MIN);
    batch_acknowledged(&batch, 20, 1500);
    assert_int_equal(batch.size, 2 * BATCH_SIZE_MIN);
    batch_acknowledged(&batch, 30, 1500);
    assert_int_equal(batch.size, 2 * BATCH_SIZE_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_packets_grow_while_acknowledgements_come_quickly, start),
        cmocka_unit_test_setup(test_packets_shrink_when_acknowledgements_are_slow, start),
        cmocka_unit_test_setup(test_in_between_the_size_stays, start),
        cmocka_unit_test_setup(test_small_packets_say_nothing_about_large_ones, start),
        cmocka_unit_test_setup(test_only_the_packet_that_is_watched_counts, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
