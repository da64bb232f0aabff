/* SPDX-License-Identifier: ISC */
/*
 * The local end of a stream: what it gives, what it takes, and what it means when it does neither.
 */
#include <errno.h>

#include "core/channel_state.h"
#include "core/channels.h"

enum { PIECES_MAX = 8 };

static void on_readable(void *context)
{
    struct channel *channel = context;
    channel->readable = true;
    channel_settle(channel);
}

void channel_drop_input(struct channel *channel)
{
    if (channel->dropping)
        return;
    channel->dropping = true;
    channel->in_taken += channel->in.size;
    blocks_deinit(&channel->in);
    channel_owe(channel, CHANNEL_DUE_STOP);
}

size_t channel_give(struct channel *channel, struct iovec *pieces, int count)
{
    ssize_t size = pipe_send(channel->pipe, pieces, count);
    if (size >= 0)
        return (size_t)size;
    if (size != -EAGAIN)
        channel_drop_input(channel);
    return 0;
}

/* Gives the local end what it takes of what has come. */
static void give_on(struct channel *channel)
{
    struct iovec pieces[PIECES_MAX];
    while (channel->in.size > 0) {
        int count = blocks_peek(&channel->in, 0, channel->in.size, pieces, PIECES_MAX);
        size_t size = channel_give(channel, pieces, count);
        if (size == 0)
            return;
        blocks_consume(&channel->in, size);
        channel->in_taken += size;
    }
}

static void on_writable(void *context)
{
    struct channel *channel = context;
    give_on(channel);
    channel_settle(channel);
}

static const struct pipe_events pipe_events = {on_readable, on_writable};

int channel_connect(struct channel *channel, int fd)
{
    int r = pipe_new(&channel->pipe, channel->channels->loop, fd, &pipe_events, channel);
    if (r == 0)
        channel->unix_end = pipe_is_unix(channel->pipe);
    return r;
}

size_t channel_reading_room(const struct channel *channel)
{
    uint64_t credit = channel->out_limit - channel_read(channel);
    size_t place = channel->out_credit - channel->out.size;
    if (channel->out_limit <= channel_read(channel) || channel->out.size >= channel->out_credit)
        return 0;
    return credit < place ? (size_t)credit : place;
}

bool channel_may_read(const struct channel *channel)
{
    return channel->state == CHANNEL_OPEN && channel->channels->ready && !channel->read_ended &&
           !channel->stop_in && channel_reading_room(channel) > 0;
}

/* What a failed read means. 0 or -errno. */
static int read_failed(struct channel *channel, int error)
{
    if (error == -EAGAIN) {
        channel->readable = false;
        return 0;
    }
    if (error == -ENOMEM || !channel->unix_end)
        return error;
    /* A program that ended without reading its input: what it wrote is complete. */
    channel->read_ended = true;
    return 0;
}

int channel_read_some(struct channel *channel, size_t size)
{
    struct iovec pieces[PIECES_MAX];
    int count = blocks_room(&channel->out, size, pieces, PIECES_MAX);
    if (count < 0)
        return count;
    ssize_t got = pipe_receive(channel->pipe, pieces, count);
    blocks_grow(&channel->out, got > 0 ? (size_t)got : 0);
    if (got < 0)
        return read_failed(channel, (int)got);
    if (got == 0) {
        channel->read_ended = true;
        if (channel->unix_end && pipe_gone(channel->pipe))
            channel_drop_input(channel);
    }
    return 0;
}

void channel_discard(struct channel *channel)
{
    static uint8_t waste[CHANNEL_SLICE];
    struct iovec piece = {waste, sizeof waste};
    ssize_t got = pipe_receive(channel->pipe, &piece, 1);
    channel->readable = got > 0;
    channel->read_ended |= got == 0 || (got < 0 && got != -EAGAIN);
}
