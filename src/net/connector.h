/* SPDX-License-Identifier: ISC */
/*
 * One TCP connection in the making, to one numeric address. It has no time limit of its own: its
 * owner gives it up.
 */
#pragma once

#include <sys/socket.h>

#include "net/stream.h"

struct connector;

/*
 * Told once how it ended: with a stream that the callee owns, or with NULL and a reason for people
 * ("Connection refused"). The connector is gone when this returns.
 */
typedef void connector_done(void *context, struct stream *stream, const char *error);

/* Starts to connect. Never calls back before it returns. 0 or -errno, also when connect(2) fails.
 */
int connector_start(struct connector **connector, struct loop *loop, const struct sockaddr *address,
                    socklen_t size, connector_done *done, void *context);

/* Gives up without a call back. NULL is allowed. */
void connector_cancel(struct connector *connector);
