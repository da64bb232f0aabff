/* SPDX-License-Identifier: ISC */
/*
 * The inside of a set of streams, shared by the three channels*.c and by nobody else.
 */
#pragma once

#include "core/channels.h"

/* A new stream of this id, in all lists that it has to be in. NULL without memory. */
struct channel *channels_add(struct channels *channels, uint32_t id, enum channel_state state);

/* The living stream of this id, or NULL. */
struct channel *channels_find(const struct channels *channels, uint32_t id);

/* Whether the stream that had this id ended well not long ago. */
bool channels_ended_well(const struct channels *channels, uint32_t id);

/* Keeps an answer about a stream that is none here. 0 or -ENOMEM. */
int channels_answer(struct channels *channels, uint32_t id, uint8_t type, uint8_t code);

/* Lets the streams flow once both sides have said READY. */
void channels_check_ready(struct channels *channels);
