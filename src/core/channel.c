/* SPDX-License-Identifier: ISC */
/*
 * One stream: its local end, its credit, and what it owes to its peer.
 */
#define LOG_COMPONENT "stream"
#include "core/channel.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "core/channel_state.h"
#include "core/channels.h"

enum { PIECES_MAX = 8 };

int channel_new(struct channel **result, struct channels *channels, enum channel_state state)
{
    struct channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL)
        return -ENOMEM;
    channel->channels = channels;
    channel->state = state;
    channel->deadline_ms = UINT64_MAX;
    channel->out_credit = CREDIT_BASE;
    channel->in_credit = CREDIT_BASE;
    channel->in_limit = CREDIT_BASE;
    list_init(&channel->node);
    list_init(&channel->bucket);
    list_init(&channel->owing);
    list_init(&channel->flowing);
    *result = channel;
    return 0;
}

void channel_free(struct channel *channel)
{
    pipe_free(channel->pipe);
    blocks_deinit(&channel->out);
    blocks_deinit(&channel->in);
    free(channel);
}

static int fault(struct channel *channel, const char *complaint)
{
    channel->channels->complaint = complaint;
    return LANE_FAULT;
}

/* --- records of the peer ---------------------------------------------------------------------- */

static int take_opened(struct channel *channel, const struct lane_record *record)
{
    if (!channel->opener || channel->state != CHANNEL_OPENING)
        return fault(channel, "an OPENED that nobody waits for");
    channel->state = CHANNEL_OPEN;
    channel->deadline_ms = UINT64_MAX;
    channel->out_limit = record->window;
    channel->exits = (record->flags & LANE_OPENED_EXITS) != 0;
    channels_tell_opened(channel);
    return 0;
}

static int take_data(struct channel *channel, struct span data)
{
    uint64_t end = channel_received(channel) + data.size;
    if (channel->fin_in || channel->state != CHANNEL_OPEN || end > channel->in_limit)
        return fault(channel, "DATA without credit, or after FIN");
    if (channel->in.size == 0 && !channel->dropping) {
        struct iovec piece = {(void *)(uintptr_t)data.data, data.size};
        size_t given = channel_give(channel, &piece, 1);
        channel->in_taken += given;
        data = SPAN(data.data + given, data.size - given);
    }
    if (channel->dropping) {
        channel->in_taken = end;
        return 0;
    }
    return blocks_append(&channel->in, data.data, data.size);
}

static int take_window(struct channel *channel, const struct lane_record *record)
{
    uint64_t limit = record->taken + record->window;
    if (record->taken < channel->out_base || record->taken > channel->out_sent ||
        limit < channel->out_limit)
        return fault(channel, "a WINDOW that falls, or beyond what was sent");
    blocks_consume(&channel->out, (size_t)(record->taken - channel->out_base));
    channel->out_base = record->taken;
    channel->out_limit = limit;
    return 0;
}

static int take_fin(struct channel *channel, uint64_t size)
{
    if (channel->fin_in || channel->state != CHANNEL_OPEN || size != channel_received(channel))
        return fault(channel, "a second FIN, or one of another size");
    channel->fin_in = true;
    return 0;
}

static int take_exit(struct channel *channel, const struct lane_record *record)
{
    if (!channel->opener || !channel->exits || channel->exit.known)
        return fault(channel, "an EXIT that was not announced");
    channel->exit = (struct channel_exit){true, record->code, record->value};
    return 0;
}

/* The peer reads no more: what waits for it is dropped, and the writer here is told. */
static void take_stop(struct channel *channel)
{
    if (channel->stop_in)
        return;
    channel->stop_in = true;
    blocks_truncate(&channel->out, (size_t)(channel_read(channel) - channel->out_sent));
    if (channel->pipe != NULL && channel->unix_end)
        pipe_refuse(channel->pipe);
}

static int take_done(struct channel *channel)
{
    if (!channel->fin_sent)
        return fault(channel, "a DONE before everything was sent");
    channel->done_in = true;
    return 0;
}

int channel_take(struct channel *channel, const struct lane_record *record)
{
    int r = 0;
    switch (record->type) {
    case LANE_OPENED:
        r = take_opened(channel, record);
        break;
    case LANE_DATA:
        r = take_data(channel, record->data);
        break;
    case LANE_WINDOW:
        r = take_window(channel, record);
        break;
    case LANE_FIN:
        r = take_fin(channel, record->size);
        break;
    case LANE_EXIT:
        r = take_exit(channel, record);
        break;
    case LANE_STOP:
        take_stop(channel);
        break;
    case LANE_DONE:
        r = take_done(channel);
        break;
    case LANE_RESET:
        channels_end(channel, &(struct channel_end){.by_peer = true, .code = record->code});
        return 0;
    default:
        break;
    }
    if (r == 0)
        channel_settle(channel);
    return r;
}

int channel_rewind(struct channel *channel, const struct lane_record *resume)
{
    const struct lane_record window = {
        .type = LANE_WINDOW, .taken = resume->taken, .window = resume->window};
    bool had_opened = (resume->flags & LANE_HAD_OPENED) != 0;
    if (resume->size < channel->out_base || resume->size > channel->out_sent ||
        resume->taken > resume->size)
        return fault(channel, "a RESUME of what was never sent");
    /* A side that has not heard of OPENED has sent nothing, and takes nothing. */
    if (channel->opener ? channel->state == CHANNEL_OPEN : had_opened) {
        int r = take_window(channel, &window);
        if (r != 0)
            return r;
    }
    channel->out_sent = resume->size;
    channel->fin_sent &= (resume->flags & LANE_HAD_FIN) != 0;
    channel->done_sent &= (resume->flags & LANE_HAD_DONE) != 0;
    /* The peer knows it; and the end comes behind what is said again. */
    channel->due &= ~(unsigned)(CHANNEL_DUE_OPEN | CHANNEL_DUE_FIN | CHANNEL_DUE_DONE);
    if (!channel->opener && channel->state == CHANNEL_OPEN && !had_opened)
        channel_owe(channel, CHANNEL_DUE_OPENED);
    if (!channel->opener && channel->exit.known && (resume->flags & LANE_HAD_EXIT) == 0)
        channel_owe(channel, CHANNEL_DUE_EXIT);
    if (channel->dropping)
        channel_owe(channel, CHANNEL_DUE_STOP);
    return 0;
}

/* --- records of ours -------------------------------------------------------------------------- */

static uint8_t resume_flags(const struct channel *channel)
{
    bool had_opened = channel->opener && channel->state == CHANNEL_OPEN;
    bool had_exit = channel->opener && channel->exit.known;
    return (uint8_t)((channel->fin_in ? LANE_HAD_FIN : 0) | (had_exit ? LANE_HAD_EXIT : 0) |
                     (had_opened ? LANE_HAD_OPENED : 0) | (channel->done_in ? LANE_HAD_DONE : 0));
}

static void tell_window(struct channel *channel, struct lane_record *record)
{
    channel->in_told = channel->in_taken;
    if (channel->in_taken + channel->in_credit > channel->in_limit)
        channel->in_limit = channel->in_taken + channel->in_credit;
    record->taken = channel->in_taken;
    record->window = (uint32_t)(channel->in_limit - channel->in_taken);
}

static void fill_open(struct channel *channel, struct lane_record *record)
{
    size_t size = 0;
    while (channel->service[size] != '\0')
        size++;
    record->window = (uint32_t)channel->in_credit;
    record->flags = channel->resumes ? LANE_OPEN_RESUMES : 0;
    record->name = SPAN(channel->service, size);
    channel->state = CHANNEL_OPENING;
    channels_set_deadline(channel, CHANNEL_OPEN_TIMEOUT_MS);
}

/* What the record of this kind says now. */
static void fill_record(struct channel *channel, enum channel_due what, struct lane_record *record)
{
    switch (what) {
    case CHANNEL_DUE_RESUME:
        record->type = LANE_RESUME;
        record->size = channel_received(channel);
        record->flags = resume_flags(channel);
        tell_window(channel, record);
        break;
    case CHANNEL_DUE_OPEN:
        record->type = LANE_OPEN;
        fill_open(channel, record);
        break;
    case CHANNEL_DUE_OPENED:
        record->type = LANE_OPENED;
        record->window = (uint32_t)channel->in_limit;
        record->flags = channel->exits ? LANE_OPENED_EXITS : 0;
        break;
    case CHANNEL_DUE_WINDOW:
        record->type = LANE_WINDOW;
        tell_window(channel, record);
        break;
    case CHANNEL_DUE_EXIT:
        record->type = LANE_EXIT;
        record->code = channel->exit.kind;
        record->value = channel->exit.value;
        break;
    case CHANNEL_DUE_STOP:
        record->type = LANE_STOP;
        break;
    case CHANNEL_DUE_FIN:
        record->type = LANE_FIN;
        record->size = channel->out_sent;
        channel->fin_sent = true;
        break;
    case CHANNEL_DUE_DONE:
        record->type = LANE_DONE;
        channel->done_sent = true;
        break;
    }
}

bool channel_next_record(struct channel *channel, struct lane_record *record)
{
    unsigned next = channel->due & (~channel->due + 1); /* the lowest bit */
    if (next == 0)
        return false;
    channel->due &= ~next;
    *record = (struct lane_record){.id = channel->id};
    fill_record(channel, (enum channel_due)next, record);
    return true;
}

bool channel_flows(const struct channel *channel)
{
    if (channel->state != CHANNEL_OPEN || !channel->channels->ready)
        return false;
    if (channel->stop_in && !channel->unix_end)
        return channel->readable && !channel->read_ended;
    return channel->out_sent < channel_read(channel) ||
           (channel->readable && channel_may_read(channel));
}

int channel_append_data(struct channel *channel, struct bytes *frame, size_t room, size_t *size)
{
    struct iovec pieces[PIECES_MAX];
    *size = 0;
    if (channel->stop_in && !channel->unix_end) {
        channel_discard(channel);
        return 0;
    }
    if (channel->out_sent == channel_read(channel) && channel->readable &&
        channel_may_read(channel)) {
        size_t free_room = channel_reading_room(channel);
        int r = channel_read_some(channel, free_room < CHANNEL_SLICE ? free_room : CHANNEL_SLICE);
        if (r < 0)
            return r;
    }
    size_t left = (size_t)(channel_read(channel) - channel->out_sent);
    size_t most =
        room - LANE_DATA_OVERHEAD < CHANNEL_SLICE ? room - LANE_DATA_OVERHEAD : CHANNEL_SLICE;
    size_t wanted = left < most ? left : most;
    if (wanted == 0)
        return 0;
    uint8_t head[LANE_DATA_OVERHEAD];
    put_u32(head, (uint32_t)(wanted + 4));
    head[4] = LANE_DATA;
    put_u32(head + 5, channel->id);
    int r = bytes_reserve(frame, sizeof head + wanted);
    if (r == 0)
        r = bytes_append(frame, head, sizeof head);
    int count = blocks_peek(&channel->out, (size_t)(channel->out_sent - channel->out_base), wanted,
                            pieces, PIECES_MAX);
    for (int i = 0; i < count && r == 0; i++)
        r = bytes_append(frame, pieces[i].iov_base, pieces[i].iov_len);
    if (r == 0) {
        channel->out_sent += wanted;
        *size = wanted;
    }
    return r;
}

void channel_unsend(struct channel *channel, size_t size)
{
    channel->out_sent -= size;
    channel->due &= ~(unsigned)CHANNEL_DUE_FIN;
}

/* --- looking at what has changed -------------------------------------------------------------- */

/* A reader that took a whole window at once, and leaves nothing unread, may have more. */
static void grow(struct channel *channel)
{
    if (channel->in_taken - channel->in_grown >= channel->in_credit && channel->in.size == 0) {
        channel->in_grown = channel->in_taken;
        if (credit_grow(&channel->channels->receiving, &channel->in_credit))
            channel_owe(channel, CHANNEL_DUE_WINDOW);
    }
    /* Of our memory the peer gets no more than what it has taken is worth, whatever it allows. */
    bool all_sent = channel->out_sent == channel_read(channel);
    if (channel->out.size == channel->out_credit && all_sent &&
        channel->out_limit > channel->out_sent &&
        channel->out_base - channel->out_grown >= channel->out_credit) {
        channel->out_grown = channel->out_base;
        credit_grow(&channel->channels->sending, &channel->out_credit);
    }
}

static void find_due(struct channel *channel)
{
    bool exit_is_in = !channel->opener || !channel->exits || channel->exit.known;
    if (!channel->fin_in && channel->in_taken - channel->in_told >= channel->in_credit / 2)
        channel_owe(channel, CHANNEL_DUE_WINDOW);
    if ((channel->read_ended || channel->stop_in) && !channel->fin_sent &&
        channel->out_sent == channel_read(channel))
        channel_owe(channel, CHANNEL_DUE_FIN);
    if (channel->fin_in && channel->in.size == 0 && !channel->given_end) {
        channel->given_end = true;
        if (!channel->dropping)
            pipe_finish(channel->pipe);
    }
    if (channel->given_end && exit_is_in && !channel->done_sent)
        channel_owe(channel, CHANNEL_DUE_DONE);
}

static void watch(const struct channel *channel)
{
    bool discards = channel->stop_in && !channel->unix_end && !channel->read_ended;
    if (channel->pipe != NULL)
        pipe_watch(channel->pipe, !channel->readable && (discards || channel_may_read(channel)),
                   channel->in.size > 0);
}

void channel_settle(struct channel *channel)
{
    if (channel->state == CHANNEL_OPEN) {
        grow(channel);
        find_due(channel);
        if (channel->done_in && channel->done_sent) {
            channels_end(channel, &(struct channel_end){.well = true});
            return;
        }
    }
    if (channel->state != CHANNEL_ENDED) {
        watch(channel);
        channels_touch(channel);
    }
}

void channel_set_exit(struct channel *channel, uint8_t kind, uint32_t value)
{
    if (channel->opener || !channel->exits || channel->exit.known)
        return;
    channel->exit = (struct channel_exit){true, kind, value};
    channel_owe(channel, CHANNEL_DUE_EXIT);
    channel_drop_input(channel);
    channel_settle(channel);
}
