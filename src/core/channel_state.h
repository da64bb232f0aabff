/* SPDX-License-Identifier: ISC */
/*
 * The inside of a stream, shared by channel.c and channel_local.c and by nobody else.
 */
#pragma once

#include "core/channel.h"

static inline void channel_owe(struct channel *channel, enum channel_due what)
{
    channel->due |= what;
}

/* Nobody reads what comes: it is counted and dropped, and the peer told to stop. */
void channel_drop_input(struct channel *channel);

/* How much of these pieces the local end takes now. An end that is gone makes the stream drop. */
size_t channel_give(struct channel *channel, struct iovec *pieces, int count);

/* How much may be read from the local end now, and whether it may be at all. */
size_t channel_reading_room(const struct channel *channel);
bool channel_may_read(const struct channel *channel);

/* Reads up to `size` bytes. 0, also when there are none or no more, or -errno. */
int channel_read_some(struct channel *channel, size_t size);

/* TCP has no way to say that nobody reads: throws away what comes. */
void channel_discard(struct channel *channel);
