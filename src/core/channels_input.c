/* SPDX-License-Identifier: ISC */
/*
 * What a lane brings for the streams: the greeting of a new one, OPENs, and records for those that
 * live or have ended.
 */
#define LOG_COMPONENT "stream"
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "core/channels_state.h"

static int fault(struct channels *channels, const char *complaint)
{
    channels->complaint = complaint;
    return LANE_FAULT;
}

static bool is_ours(const struct channels *channels, uint32_t id)
{
    return (id % 2 == 1) == channels->odd;
}

/* Whether there has been a stream of this id. */
static bool was_seen(const struct channels *channels, uint32_t id)
{
    return is_ours(channels, id) ? id < channels->next_id : id <= channels->highest_seen;
}

/* --- a new lane ------------------------------------------------------------------------------- */

/* Another instance of the peer knows nothing of what flowed. */
static void meet(struct channels *channels, struct span instance)
{
    bool same = channels->peer_met &&
                memcmp(channels->peer_instance, instance.data, LANE_INSTANCE_SIZE) == 0;
    if (same)
        return;
    list_for_each_safe (node, &channels->all) {
        struct channel *channel = container_of(node, struct channel, node);
        if (channels->peer_met && channel->state != CHANNEL_WAITING)
            channels_end(channel, &(struct channel_end){.code = LANE_LOST});
    }
    memcpy(channels->peer_instance, instance.data, LANE_INSTANCE_SIZE);
    channels->peer_met = true;
    channels->highest_seen = 0;
    if (channels->well != NULL)
        memset(channels->well, 0, CHANNELS_WELL_MAX * sizeof *channels->well);
}

void channels_check_ready(struct channels *channels)
{
    if (channels->ready || !channels->ready_sent || !channels->ready_in)
        return;
    channels->ready = true;
    list_for_each_safe (node, &channels->all)
        channel_settle(container_of(node, struct channel, node));
    channels->events->attached(channels->context);
}

/* One that we don't know: its peer learns how it ended, if it can have begun. */
static int resume_unknown(struct channels *channels, const struct lane_record *record)
{
    bool never_came = !is_ours(channels, record->id) && !was_seen(channels, record->id) &&
                      (record->flags & LANE_HAD_OPENED) == 0;
    if (never_came)
        return 0;
    if (channels_ended_well(channels, record->id))
        return channels_answer(channels, record->id, LANE_DONE, 0);
    return channels_answer(channels, record->id, LANE_RESET, LANE_LOST);
}

static int take_resume(struct channels *channels, const struct lane_record *record)
{
    struct channel *channel = channels_find(channels, record->id);
    if (++channels->ready_resumes > CREDIT_STREAMS_MAX)
        return fault(channels, "too many RESUMEs");
    if (channel == NULL || channel->state == CHANNEL_WAITING)
        return resume_unknown(channels, record);
    return channel_rewind(channel, record);
}

/* Before both sides are ready. */
static int take_greeting(struct channels *channels, const struct lane_record *record)
{
    bool is_hello = record->type == LANE_HELLO;
    if (is_hello == channels->hello_in)
        return fault(channels, is_hello ? "a second HELLO" : "no HELLO");
    switch (record->type) {
    case LANE_HELLO:
        channels->hello_in = true;
        meet(channels, record->data);
        return 0;
    case LANE_RESUME:
        return take_resume(channels, record);
    case LANE_READY:
        channels->ready_in = true;
        channels_check_ready(channels);
        return 0;
    default:
        return fault(channels, "a stream before READY");
    }
}

/* --- streams ---------------------------------------------------------------------------------- */

static unsigned asked(const struct channels *channels)
{
    unsigned count = 0;
    list_for_each (node, &channels->all) {
        const struct channel *channel = container_of(node, struct channel, node);
        count += channel->state == CHANNEL_ASKED;
    }
    return count;
}

/* A record of our own kind of id, or one that lives, is not for OPEN. */
static int take_open(struct channels *channels, const struct lane_record *record)
{
    if (is_ours(channels, record->id) || record->id == 0 ||
        channels_find(channels, record->id) != NULL)
        return fault(channels, "an OPEN with an id that is not its to give");
    if (asked(channels) + channels->answer_count >= CHANNELS_UNANSWERED_MAX + CREDIT_STREAMS_MAX ||
        asked(channels) >= CHANNELS_UNANSWERED_MAX)
        return fault(channels, "too many OPENs without an answer");
    if (record->id <= channels->highest_seen)
        return channels_answer(channels, record->id, LANE_RESET, LANE_LOST);
    channels->highest_seen = record->id;
    if (!bucket_take(&channels->opens, channels_now(channels)))
        return channels_answer(channels, record->id, LANE_RESET, LANE_BUSY);
    struct channel *channel = channels_add(channels, record->id, CHANNEL_ASKED);
    if (channel == NULL)
        return -ENOMEM;
    channel->resumes = (record->flags & LANE_OPEN_RESUMES) != 0;
    channel->out_limit = record->window;
    channels_set_deadline(channel, CHANNEL_ACCEPT_TIMEOUT_MS);
    memcpy(channel->service, record->name.data, record->name.size);
    channels->events->incoming(channels->context, channel);
    return 0;
}

int channels_take(struct channels *channels, const struct lane_record *record)
{
    if (!channels->ready_in)
        return take_greeting(channels, record);
    if (record->type == LANE_ECHO) {
        channels->echo_due = true;
        memcpy(channels->echo, record->data.data, LANE_ECHO_SIZE);
        channels->events->touched(channels->context);
        return 0;
    }
    if (record->type == LANE_ECHOED)
        return 0; /* that it came is all there is to it */
    if (record->type == LANE_OPEN)
        return take_open(channels, record);
    if (record->type == LANE_HELLO || record->type == LANE_RESUME || record->type == LANE_READY)
        return fault(channels, "a greeting in the middle");
    struct channel *channel = channels_find(channels, record->id);
    if (channel != NULL && channel->state != CHANNEL_WAITING)
        return channel_take(channel, record);
    return was_seen(channels, record->id) ? 0 : fault(channels, "a record of a stream never seen");
}
