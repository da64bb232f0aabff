/* SPDX-License-Identifier: ISC */
/*
 * Streams over a lane that breaks, by seeds: every byte arrives once and in order, and both ends
 * agree on how a stream ended.
 */
#include "unit/channels_rig.h"
#include "unit/cmocka_all.h"
#include "unit/deep.h"

enum { STREAMS = 4, TOTAL_MAX = 200000 };

static uint64_t numbers;

/* The finaliser of SplitMix64. */
static unsigned number(void)
{
    uint64_t mixed = numbers += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)(mixed >> 40);
}

static size_t some_size(void)
{
    return number() % 3 == 0 ? 0 : number() % TOTAL_MAX;
}

static void assert_whole(unsigned pair)
{
    const struct rig_program *one = &rig_programs[pair], *other = one + 1;
    assert_int_equal(one->heard, other->says);
    assert_int_equal(other->heard, one->says);
    assert_true(one->heard_end && other->heard_end);
}

static void transfer(uint64_t seed)
{
    numbers = seed;
    rig_begin(number);
    rig_allow(number() % 30, 0);
    for (unsigned i = 0; i < STREAMS; i++)
        rig_open(number() % 2, some_size(), some_size(), true);
    rig_run(2000000);
    if (!rig_at_rest())
        print_message("seed %llu is not at rest\n", (unsigned long long)seed);
    assert_true(rig_at_rest());
    for (unsigned i = 0; i < STREAMS; i++)
        assert_whole(2 * i);
    assert_int_equal(rig_sides[0].ended_well, STREAMS);
    assert_int_equal(rig_sides[1].ended_well, STREAMS);
    rig_end();
}

static void test_every_byte_arrives_once_whatever_breaks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (deep() ? 3000 : 60); seed++)
        transfer(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_arrives_once_whatever_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
