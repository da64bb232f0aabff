/* SPDX-License-Identifier: ISC */
/*
 * Streams over a lane that breaks, by seeds and at each of many places: every byte arrives once and
 * in order, and both ends agree on how a stream ended. And that the streams of a lane take turns.
 */
#include "unit/channels_rig.h"
#include "unit/cmocka_all.h"
#include "unit/deep.h"

enum { STREAMS = 4, TOTAL_MAX = 200000 };

static uint64_t numbers;
static bool eager; /* local ends always give and take something */

/* The finaliser of SplitMix64. */
static unsigned number(void)
{
    uint64_t mixed = numbers += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)(mixed >> 40) | eager;
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

/* Goes on for so many steps while nothing breaks, so that all streams are open and flow. */
static void flow(uint64_t seed, size_t size)
{
    numbers = seed;
    rig_begin(number);
    for (unsigned i = 0; i < STREAMS; i++)
        rig_open(0, size, size, true);
    rig_run(3000);
    assert_int_equal(rig_sides[0].channels.count, STREAMS);
}

/* --- by place --------------------------------------------------------------------------------- */

/* Half a minute is the longest that a network may be away without harm. */
static void cut_at(uint64_t place)
{
    flow(place, 150000);
    rig_run((unsigned)place);
    rig_cut(number() % 2);
    rig_wait(number() % (CHANNEL_DETACHED_MAX_MS / 2));
    rig_mend();
    rig_run(2000000);
    assert_true(rig_at_rest());
    for (unsigned i = 0; i < STREAMS; i++)
        assert_whole(2 * i);
    assert_int_equal(rig_sides[0].ended_well, STREAMS);
    assert_int_equal(rig_sides[1].ended_well, STREAMS);
    rig_end();
}

static void test_transfers_cut_at_each_of_many_places_are_whole(void **state)
{
    const uint64_t step = deep() ? 7 : 350, all = 7000;
    (void)state;
    for (uint64_t place = 1; place <= all; place += step)
        cut_at(place);
}

/* --- turns ------------------------------------------------------------------------------------ */

/* Who may have something to say, in their order; how many. */
static unsigned list_flowing(const struct channels *channels, uint32_t ids[static STREAMS])
{
    unsigned count = 0;
    list_for_each (node, &channels->flowing)
        ids[count++] = container_of(node, struct channel, flowing)->id;
    return count;
}

/* The kernel tells of all local ends that are watched. */
static void poll_all(void)
{
    for (unsigned i = 0; i < 16 * STREAMS; i++)
        rig_poll(i % (2 * STREAMS));
}

/*
 * The next frame: what is owed comes first, then a slice of each stream in turn. How many slices.
 */
static unsigned look_at_frame(void)
{
    struct lane_record record;
    uint32_t ids[STREAMS];
    const unsigned count = list_flowing(&rig_sides[0].channels, ids);
    unsigned slices = 0;
    eager = true;
    const struct bytes *frame = rig_say(0);
    eager = false;
    if (frame == NULL)
        return 0;
    struct reader reader =
        reader_of(SPAN(frame->data + LANE_FRAME_START, frame->size - LANE_FRAME_START));
    while (lane_record_next(&reader, &record)) {
        if (record.type != LANE_DATA) {
            assert_int_equal(slices, 0);
            continue;
        }
        assert_in_range(record.data.size, 1, CHANNEL_SLICE);
        assert_true(slices >= count || record.id == ids[slices]);
        slices++;
    }
    return slices;
}

static void test_streams_of_a_lane_take_turns(void **state)
{
    unsigned shared = 0;
    (void)state;
    flow(1, 3000000);
    for (unsigned i = 0; i < 500; i++) {
        poll_all();
        shared += look_at_frame() > 1;
        rig_hear(1);
        poll_all();
        rig_say(1);
        rig_hear(0);
    }
    assert_in_range(shared, 100, UINT32_MAX);
    rig_end();
}

/* Whoever allows much and takes nothing has no more of our memory than anybody. */
static void test_what_a_peer_allows_is_not_what_it_gets(void **state)
{
    (void)state;
    flow(5, 2000000);
    const struct channels *channels = &rig_sides[0].channels;
    list_for_each (node, &channels->all) {
        struct channel *channel = container_of(node, struct channel, node);
        channel->out_limit = UINT64_MAX / 2;
    }
    for (unsigned i = 0; i < 500; i++) {
        struct bytes frame = {0};
        poll_all();
        rig_frame(0, &frame); /* the peer never hears of it */
        bytes_deinit(&frame);
    }
    list_for_each (node, &channels->all) {
        const struct channel *channel = container_of(node, struct channel, node);
        assert_int_equal(channel->out.size, channel->out_credit);
        assert_in_range(channel->out_credit, CREDIT_BASE, CREDIT_BASE + channel->out_base);
    }
    rig_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_arrives_once_whatever_breaks),
        cmocka_unit_test(test_transfers_cut_at_each_of_many_places_are_whole),
        cmocka_unit_test(test_streams_of_a_lane_take_turns),
        cmocka_unit_test(test_what_a_peer_allows_is_not_what_it_gets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
