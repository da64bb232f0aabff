/* SPDX-License-Identifier: ISC */
/*
 * Streams and services for clients: who opened or provides which, and what they are told.
 */
#pragma once

#include "daemon/control_shared.h"

/* Something happened to a stream: the node's observer. */
void control_stream_news(void *context, const struct stream_news *news);

/* The client goes: what it provided nobody does, what it was opening is given up, the rest lives
 * on without it. */
void control_streams_forget(struct control_client *client);
