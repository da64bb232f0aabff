/* SPDX-License-Identifier: ISC */
/*
 * A peer that says anything at all in its lanes, to an end with streams of its own and services.
 * Whatever it says, it is taken or it is a fault; what is kept for it has its bounds, what is said
 * to it is well formed, and in the end nothing is left.
 *
 *     input: pieces of one byte of what to do, and for a frame a u16 of its size and its records
 */
#include <stdbool.h>

#include "fuzz/fuzz.h"
#include "unit/channels_rig.h"

enum { FRAME_MAX = 4096, STREAMS = 3, ANSWERS_MAX = CHANNELS_UNANSWERED_MAX + CREDIT_STREAMS_MAX };

static uint32_t numbers;

static unsigned number(void)
{
    numbers = numbers * 1664525 + 1013904223; /* a linear congruential generator */
    return numbers >> 8;
}

static struct channels *victim(void)
{
    return &rig_sides[0].channels;
}

static void check_bounds(void)
{
    const struct channels *channels = victim();
    assert(channels->answer_count <= ANSWERS_MAX);
    list_for_each (node, &channels->all) {
        const struct channel *channel = container_of(node, struct channel, node);
        assert(channel->in.size <= channel->in_credit);
        assert(channel->out.size <= channel->out_credit);
        assert(channel_received(channel) <= channel->in_limit || channel->dropping);
        assert(channel->out_sent <= channel_read(channel));
    }
}

/* A frame of the peer. Whether the lane still lives. */
static bool take(struct span records)
{
    struct reader reader = reader_of(records);
    struct lane_record record;
    if (!lane_records_check(records))
        return true; /* the lane would not have passed it on */
    while (lane_record_next(&reader, &record)) {
        if (record.type == LANE_SWITCH || record.type == LANE_BYE)
            continue; /* of the lane, and not for the streams */
        int r = channels_take(victim(), &record);
        check_bounds();
        if (r != 0) {
            assert(r == LANE_FAULT && victim()->complaint != NULL);
            return false;
        }
    }
    return true;
}

static void reattach(bool fault)
{
    channels_detach(victim());
    if (fault)
        channels_end_all(victim(), LANE_LOST);
    channels_reap(victim());
    channels_attach(victim());
}

static void act(unsigned what)
{
    struct bytes frame = {0};
    switch (what % 8) {
    case 0:
        reattach(false);
        break;
    case 1:
        rig_wait(what * 100);
        break;
    case 2:
        channels_reap(victim());
        break;
    case 3:
        rig_frame(0, &frame);
        break;
    default:
        rig_poll(what);
        break;
    }
    bytes_deinit(&frame);
    check_bounds();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    numbers = 1;
    rig_begin(number);
    rig_distrust();
    for (unsigned i = 0; i < STREAMS; i++)
        rig_open(0, 40000, 40000, i != 0);
    while (size > 0) {
        unsigned what = *data++;
        size--;
        if (what < 128) {
            act(what);
            continue;
        }
        size_t length = size < 2 ? 0 : (size_t)(data[0] << 8 | data[1]) % FRAME_MAX;
        size_t start = size < 2 ? size : 2;
        length = length < size - start ? length : size - start;
        if (!take(SPAN(data + start, length)))
            reattach(true);
        data += start + length;
        size -= start + length;
    }
    channels_end_all(victim(), LANE_LOST);
    channels_reap(victim());
    assert(victim()->count == 0);
    rig_end();
    return 0;
}
