/* SPDX-License-Identifier: ISC */
/*
 * What a lane carries for the streams: the greeting of a new one, answers, OPENs, what they owe and
 * their bytes, in this order.
 */
#define LOG_COMPONENT "stream"
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "core/channels_state.h"

static bool any_resumes(const struct channels *channels)
{
    list_for_each (node, &channels->all)
        if ((container_of(node, struct channel, node)->due & CHANNEL_DUE_RESUME) != 0)
            return true;
    return false;
}

bool channels_have_output(const struct channels *channels)
{
    if (!channels->attached)
        return false;
    if (!channels->hello_sent)
        return true;
    if (!channels->ready_sent)
        return channels->hello_in || !any_resumes(channels);
    return channels->ready && (channels->echo_due || channels->answer_count > 0 ||
                               !list_empty(&channels->owing) || !list_empty(&channels->flowing));
}

static size_t records_size(const struct bytes *frame)
{
    return frame->size - LANE_FRAME_START;
}

static bool has_room(const struct bytes *frame, size_t room, size_t wanted)
{
    return records_size(frame) + wanted <= room;
}

/*
 * HELLO, RESUME for all that live, READY. 0 or -ENOMEM. Which streams live is known when the other
 * side has said which instance it is: a new one may have given their ids to others.
 */
static int fill_greeting(struct channels *channels, struct bytes *frame, size_t room)
{
    const struct lane_record hello = {.type = LANE_HELLO,
                                      .data = SPAN(channels->instance, LANE_INSTANCE_SIZE),
                                      .window = channels->streams_max};
    const struct lane_record ready = {.type = LANE_READY};
    int r = channels->hello_sent ? 0 : lane_record_append(frame, &hello);
    channels->hello_sent = true;
    if (!channels->hello_in && any_resumes(channels))
        return r;
    list_for_each (node, &channels->all) {
        struct channel *channel = container_of(node, struct channel, node);
        struct lane_record record;
        if (r != 0 || (channel->due & CHANNEL_DUE_RESUME) == 0)
            continue;
        if (!has_room(frame, room, LANE_CONTROL_MAX))
            return 0;
        channel_next_record(channel, &record); /* RESUME is the lowest of all that is due */
        r = lane_record_append(frame, &record);
    }
    if (r != 0 || !has_room(frame, room, LANE_CONTROL_MAX))
        return r;
    channels->ready_sent = true;
    return lane_record_append(frame, &ready);
}

static int fill_answers(struct channels *channels, struct bytes *frame, size_t room)
{
    size_t done = 0;
    int r = 0;
    while (done < channels->answer_count && has_room(frame, room, LANE_CONTROL_MAX) && r == 0) {
        const struct channels_answer *answer = &channels->answers[done++];
        r = lane_record_append(
            frame,
            &(struct lane_record){.type = answer->type, .id = answer->id, .code = answer->code});
    }
    channels->answer_count -= done;
    if (channels->answer_count > 0)
        memmove(channels->answers, channels->answers + done,
                channels->answer_count * sizeof *channels->answers);
    return r;
}

/* OPENs go out in the order of their ids, before anything else. */
static int fill_opens(struct channels *channels, struct bytes *frame, size_t room)
{
    list_for_each (node, &channels->all) {
        struct channel *channel = container_of(node, struct channel, node);
        struct lane_record record;
        if ((channel->due & CHANNEL_DUE_OPEN) == 0)
            continue;
        if (!has_room(frame, room, LANE_CONTROL_MAX + SERVICE_NAME_MAX))
            return 0;
        channel_next_record(channel, &record);
        int r = lane_record_append(frame, &record);
        if (r != 0)
            return r;
    }
    return 0;
}

static int fill_owing(struct channels *channels, struct bytes *frame, size_t room)
{
    list_for_each_safe (node, &channels->owing) {
        struct channel *channel = container_of(node, struct channel, owing);
        struct lane_record record;
        while (has_room(frame, room, LANE_CONTROL_MAX) && channel_next_record(channel, &record)) {
            int r = lane_record_append(frame, &record);
            if (r != 0)
                return r;
        }
        if (channel->due != 0)
            return 0; /* no room */
        list_remove(&channel->owing);
        channel_settle(channel);
    }
    return 0;
}

/*
 * The last DATA is cut so that the frame needs no padding: what would fill half of it goes along
 * with the next.
 */
static void cut_last(struct bytes *frame, struct channel *last, size_t last_size)
{
    size_t content = 4 + records_size(frame), fitting = LANE_CONTENT_MIN;
    if (last == NULL || last->state == CHANNEL_ENDED || content < LANE_FULL_FROM)
        return;
    while (2 * fitting <= content)
        fitting *= 2;
    size_t excess = content - fitting;
    if (excess == 0 || excess >= last_size)
        return;
    frame->size -= excess;
    put_u32(frame->data + frame->size - (last_size - excess) - LANE_DATA_OVERHEAD,
            (uint32_t)(last_size - excess + 4));
    channel_unsend(last, excess);
    channels_touch(last);
}

/* Bytes of the streams in turn. */
static int fill_data(struct channels *channels, struct bytes *frame, size_t room)
{
    struct channel *last = NULL;
    size_t last_size = 0;
    while (!list_empty(&channels->flowing) && has_room(frame, room, LANE_DATA_OVERHEAD + 1)) {
        struct channel *channel = container_of(channels->flowing.next, struct channel, flowing);
        size_t size;
        list_remove(&channel->flowing);
        int r = channel_append_data(channel, frame, room - records_size(frame), &size);
        if (r == -ENOMEM)
            return r;
        if (r < 0) {
            log_debug("stream %u: %s", channel->id, strerror(-r));
            channels_reset(channel, LANE_FAILED);
            continue;
        }
        if (size > 0) {
            last = channel;
            last_size = size;
        }
        channel_settle(channel);
    }
    cut_last(frame, last, last_size);
    return 0;
}

int channels_fill(struct channels *channels, struct bytes *frame, size_t room)
{
    int r = channels->ready_sent ? 0 : fill_greeting(channels, frame, room);
    channels_check_ready(channels);
    if (r != 0 || !channels->ready)
        return r;
    if (channels->echo_due) {
        channels->echo_due = false;
        r = lane_record_append(frame,
                               &(struct lane_record){.type = LANE_ECHOED,
                                                     .data = SPAN(channels->echo, LANE_ECHO_SIZE)});
    }
    if (r == 0)
        r = fill_answers(channels, frame, room);
    if (r == 0)
        r = fill_opens(channels, frame, room);
    if (r == 0)
        r = fill_owing(channels, frame, room);
    return r == 0 ? fill_data(channels, frame, room) : r;
}
