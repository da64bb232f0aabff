/* SPDX-License-Identifier: ISC */
/*
 * The streams with one peer: their life, and the records of theirs that go into frames.
 * channels_input.c takes what comes.
 */
#define LOG_COMPONENT "stream"
#include "core/channels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "core/channels_state.h"
#include "crypto/random.h"

uint64_t channels_now(const struct channels *channels)
{
    return loop_now(channels->loop);
}

int channels_init(struct channels *channels, const struct channels_parts *parts)
{
    *channels = (struct channels){.loop = parts->loop,
                                  .events = parts->events,
                                  .context = parts->context,
                                  .sending = {.pool = parts->sending},
                                  .receiving = {.pool = parts->receiving},
                                  .odd = parts->odd,
                                  .next_id = parts->odd ? 1 : 2,
                                  .streams_max = parts->streams_max};
    list_init(&channels->all);
    list_init(&channels->owing);
    list_init(&channels->flowing);
    list_init(&channels->dead);
    for (size_t i = 0; i < CHANNELS_BUCKETS; i++)
        list_init(&channels->buckets[i]);
    bucket_init(&channels->opens, CHANNELS_OPENS_PER_S, CHANNELS_OPENS_BURST,
                channels_now(channels));
    return random_bytes(channels->instance, sizeof channels->instance);
}

static void release(struct channel *channel)
{
    struct channels *channels = channel->channels;
    list_remove(&channel->node);
    list_remove(&channel->bucket);
    list_remove(&channel->owing);
    list_remove(&channel->flowing);
    credit_end(&channels->sending, channel->out_credit);
    credit_end(&channels->receiving, channel->in_credit);
    channels->count--;
}

void channels_deinit(struct channels *channels)
{
    channels_reap(channels);
    list_for_each_safe (node, &channels->all) {
        struct channel *channel = container_of(node, struct channel, node);
        release(channel);
        channel_free(channel);
    }
    free(channels->answers);
    free(channels->well);
}

void channels_reap(struct channels *channels)
{
    list_for_each_safe (node, &channels->dead) {
        struct channel *channel = container_of(node, struct channel, node);
        list_remove(&channel->node);
        channel_free(channel);
    }
}

struct channel *channels_add(struct channels *channels, uint32_t id, enum channel_state state)
{
    struct channel *channel;
    if (channel_new(&channel, channels, state) != 0)
        return NULL;
    channel->id = id;
    list_append(&channels->all, &channel->node);
    list_append(&channels->buckets[id / 2 % CHANNELS_BUCKETS], &channel->bucket);
    credit_begin(&channels->sending);
    credit_begin(&channels->receiving);
    channels->count++;
    return channel;
}

struct channel *channels_find(const struct channels *channels, uint32_t id)
{
    list_for_each (node, &channels->buckets[id / 2 % CHANNELS_BUCKETS]) {
        struct channel *channel = container_of(node, struct channel, bucket);
        if (channel->id == id)
            return channel;
    }
    return NULL;
}

void channels_set_deadline(struct channel *channel, uint64_t wait_ms)
{
    channel->deadline_ms = channels_now(channel->channels) + wait_ms;
    channel->channels->timed = true;
}

void channels_touch(struct channel *channel)
{
    struct channels *channels = channel->channels;
    if (channel->due != 0 && list_empty(&channel->owing))
        list_append(&channels->owing, &channel->owing);
    if (channel_flows(channel) && list_empty(&channel->flowing))
        list_append(&channels->flowing, &channel->flowing);
    channels->events->touched(channels->context);
}

void channels_tell_opened(struct channel *channel)
{
    channel->channels->events->opened(channel->channels->context, channel);
}

/* --- opening and ending ----------------------------------------------------------------------- */

/* Of ours, how many the peer has not answered. */
static unsigned unanswered(const struct channels *channels)
{
    unsigned count = 0;
    list_for_each (node, &channels->all) {
        const struct channel *channel = container_of(node, struct channel, node);
        count += channel->state == CHANNEL_OPENING || channel->state == CHANNEL_WAITING;
    }
    return count;
}

int channels_open(struct channels *channels, const char *service, bool resumes, int fd,
                  struct channel **result)
{
    struct channel *channel = NULL;
    if (unanswered(channels) >= CHANNELS_UNANSWERED_MAX || channels->next_id > UINT32_MAX - 2) {
        close(fd);
        return CHANNELS_BUSY;
    }
    channel = channels_add(channels, channels->next_id, CHANNEL_WAITING);
    if (channel == NULL) {
        close(fd);
        return -ENOMEM;
    }
    channels->next_id += 2;
    channel->opener = true;
    channel->resumes = resumes;
    snprintf(channel->service, sizeof channel->service, "%s", service);
    int r = channel_connect(channel, fd);
    if (r < 0) {
        release(channel);
        channel_free(channel);
        return r;
    }
    channel->due |= CHANNEL_DUE_OPEN;
    channels_touch(channel);
    *result = channel;
    return 0;
}

int channels_accept(struct channel *channel, int fd, bool exits)
{
    int r = channel_connect(channel, fd);
    if (r < 0)
        return r;
    channel->state = CHANNEL_OPEN;
    channel->deadline_ms = UINT64_MAX;
    channel->exits = exits;
    channel->due |= CHANNEL_DUE_OPENED;
    channel_settle(channel);
    return 0;
}

/* Remembers a stream that ended well, for a peer that has yet to hear of it. */
static void remember(struct channels *channels, uint32_t id)
{
    if (channels->well == NULL)
        channels->well = calloc(CHANNELS_WELL_MAX, sizeof *channels->well);
    if (channels->well == NULL)
        return; /* the peer will take it for lost, should its lane break now */
    channels->well[channels->well_next] =
        (struct channels_well){.id = id, .time_ms = channels_now(channels)};
    channels->well_next = (channels->well_next + 1) % CHANNELS_WELL_MAX;
}

bool channels_ended_well(const struct channels *channels, uint32_t id)
{
    uint64_t now = channels_now(channels);
    for (size_t i = 0; channels->well != NULL && i < CHANNELS_WELL_MAX; i++)
        if (channels->well[i].id == id)
            return now - channels->well[i].time_ms <= CHANNELS_WELL_MS;
    return false;
}

void channels_end(struct channel *channel, const struct channel_end *end)
{
    struct channels *channels = channel->channels;
    if (channel->state == CHANNEL_ENDED)
        return;
    if (end->well)
        remember(channels, channel->id);
    channels->events->ended(channels->context, channel, end);
    channel->state = CHANNEL_ENDED;
    release(channel);
    pipe_free(channel->pipe); /* whoever waits at the other end need not wait for our turn's end */
    channel->pipe = NULL;
    list_append(&channels->dead, &channel->node);
    channels->events->touched(channels->context);
}

int channels_answer(struct channels *channels, uint32_t id, uint8_t type, uint8_t code)
{
    if (channels->answer_count == channels->answer_capacity) {
        size_t capacity = channels->answer_capacity > 0 ? 2 * channels->answer_capacity : 16;
        struct channels_answer *larger = reallocarray(channels->answers, capacity, sizeof *larger);
        if (larger == NULL)
            return -ENOMEM;
        channels->answers = larger;
        channels->answer_capacity = capacity;
    }
    channels->answers[channels->answer_count++] = (struct channels_answer){id, type, code};
    return 0;
}

void channels_reset(struct channel *channel, uint8_t code)
{
    struct channels *channels = channel->channels;
    if (channel->state == CHANNEL_ENDED)
        return;
    /* Without a lane the peer learns of it when it says RESUME. */
    if (channels->attached && channel->state != CHANNEL_WAITING)
        channels_answer(channels, channel->id, LANE_RESET, code);
    channels_end(channel, &(struct channel_end){.code = code});
}

void channels_end_all(struct channels *channels, uint8_t code)
{
    list_for_each_safe (node, &channels->all)
        channels_end(container_of(node, struct channel, node), &(struct channel_end){.code = code});
}

/* --- lanes come and go ------------------------------------------------------------------------ */

void channels_attach(struct channels *channels)
{
    channels->attached = true;
    channels->hello_sent = channels->resumes_sent = channels->ready_sent = false;
    channels->hello_in = channels->ready_in = channels->ready = false;
    channels->ready_resumes = 0;
    list_for_each (node, &channels->all) {
        struct channel *channel = container_of(node, struct channel, node);
        if (channel->state == CHANNEL_WAITING)
            continue;
        channel->due |= CHANNEL_DUE_RESUME;
        if (channel->state == CHANNEL_OPENING) {
            channel->due |= CHANNEL_DUE_OPEN; /* unless the peer says that it knows it */
            channels_set_deadline(channel, CHANNEL_OPEN_TIMEOUT_MS);
        }
    }
    channels->events->touched(channels->context);
}

void channels_detach(struct channels *channels)
{
    channels->attached = channels->ready = false;
    channels->detached_ms = channels_now(channels);
    channels->timed = true;
    channels->answer_count = 0;
    list_for_each_safe (node, &channels->all) {
        struct channel *channel = container_of(node, struct channel, node);
        list_remove(&channel->owing);
        list_remove(&channel->flowing);
        if (channel->state == CHANNEL_WAITING)
            continue;
        if (channel->resumes)
            channel_settle(channel);
        else
            channels_end(channel, &(struct channel_end){.code = LANE_LOST});
    }
    channels->events->detached(channels->context);
}

/* --- records of ours -------------------------------------------------------------------------- */

bool channels_have_output(const struct channels *channels)
{
    if (!channels->attached)
        return false;
    if (!channels->hello_sent || !channels->resumes_sent || !channels->ready_sent ||
        channels->echo_due)
        return true;
    return channels->ready && (channels->answer_count > 0 || !list_empty(&channels->owing) ||
                               !list_empty(&channels->flowing));
}

static size_t records_size(const struct bytes *frame)
{
    return frame->size - LANE_FRAME_START;
}

static bool has_room(const struct bytes *frame, size_t room, size_t wanted)
{
    return records_size(frame) + wanted <= room;
}

/* HELLO, RESUME for all that live, READY. 0 or -ENOMEM. */
static int fill_greeting(struct channels *channels, struct bytes *frame, size_t room)
{
    const struct lane_record hello = {.type = LANE_HELLO,
                                      .data = SPAN(channels->instance, LANE_INSTANCE_SIZE),
                                      .window = channels->streams_max};
    const struct lane_record ready = {.type = LANE_READY};
    int r = channels->hello_sent ? 0 : lane_record_append(frame, &hello);
    channels->hello_sent = true;
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
    channels->resumes_sent = channels->ready_sent = true;
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
        if (!has_room(frame, room, LANE_CONTROL_MAX + LANE_SERVICE_MAX))
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
    int r = 0;
    if (channels->echo_due) {
        channels->echo_due = false;
        r = lane_record_append(frame,
                               &(struct lane_record){.type = LANE_ECHOED,
                                                     .data = SPAN(channels->echo, LANE_ECHO_SIZE)});
    }
    if (r == 0 && !channels->ready_sent)
        r = fill_greeting(channels, frame, room);
    channels_check_ready(channels);
    if (r != 0 || !channels->ready)
        return r;
    r = fill_answers(channels, frame, room);
    if (r == 0)
        r = fill_opens(channels, frame, room);
    if (r == 0)
        r = fill_owing(channels, frame, room);
    return r == 0 ? fill_data(channels, frame, room) : r;
}

/* --- time ------------------------------------------------------------------------------------- */

/* Few streams have a deadline, and most sets none; so the walk is rare. */
uint64_t channels_deadline(struct channels *channels)
{
    uint64_t deadline = UINT64_MAX;
    if (!channels->timed)
        return UINT64_MAX;
    list_for_each (node, &channels->all) {
        const struct channel *channel = container_of(node, struct channel, node);
        uint64_t own = channel->deadline_ms;
        if (!channels->attached && channel->state != CHANNEL_WAITING)
            own = channels->detached_ms + CHANNEL_DETACHED_MAX_MS;
        deadline = own < deadline ? own : deadline;
    }
    channels->timed = deadline != UINT64_MAX;
    return deadline;
}

void channels_tick(struct channels *channels)
{
    uint64_t now = channels_now(channels);
    bool too_long = !channels->attached && now - channels->detached_ms >= CHANNEL_DETACHED_MAX_MS;
    list_for_each_safe (node, &channels->all) {
        struct channel *channel = container_of(node, struct channel, node);
        if (too_long && channel->state != CHANNEL_WAITING)
            channels_end(channel, &(struct channel_end){.code = LANE_LOST});
        else if (channels->attached && now >= channel->deadline_ms)
            channels_reset(channel, LANE_TIMEOUT);
    }
}
