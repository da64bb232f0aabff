/* SPDX-License-Identifier: ISC */
/*
 * The streams with one peer: their life. channels_input.c takes what comes for them, and
 * channels_output.c makes frames of what they have to say.
 */
#include "core/channels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    /* Who has not heard of it is told nothing; without a lane the peer learns of it when it says
     * RESUME, and so does one whose OPEN may have been lost. */
    if (channels->attached && (channel->due & CHANNEL_DUE_OPEN) == 0)
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
    channels->hello_sent = channels->ready_sent = false;
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
