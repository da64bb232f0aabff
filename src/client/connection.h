/* SPDX-License-Identifier: ISC */
/*
 * A connection to the daemon: JSON objects out, JSON objects in. What they mean is not known here.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/outcome.h"

struct connection;

enum connection_outcome {
    CONNECTION_TIMEOUT = OUTCOME_CONNECTION, /* the deadline passed first */
    CONNECTION_OTHER,                        /* the other descriptor is ready */
    CONNECTION_LOST,                         /* the daemon is gone, or speaks nonsense */
};

#define CONNECTION_NEVER UINT64_MAX

/* Connects to the socket at `path`. 0 or -errno. */
int connection_open(const char *path, struct connection **connection);
void connection_free(struct connection *connection);

/* Sends one object; the reference is taken. 0, CONNECTION_LOST or -ENOMEM (also for NULL). */
int connection_send(struct connection *connection, json_t *message);

/*
 * Sends one object together with others: at the latest when more is to be received, or sent by
 * connection_send(). The reference is taken. 0, CONNECTION_LOST or -ENOMEM (also for NULL).
 */
int connection_queue(struct connection *connection, json_t *message);

/*
 * connection_send() with a descriptor that goes along, -1 for none; it stays the caller's.
 */
int connection_send_with(struct connection *connection, json_t *message, int descriptor);

/* Sends a descriptor with one NUL byte over a UNIX socket, as ssh takes it. 0 or CONNECTION_LOST.
 */
int descriptor_send(int fd, int descriptor);

/* Whether a whole object is here already, so that connection_receive() does not wait. */
bool connection_pending(struct connection *connection);

/*
 * The next object, as a new reference. Waits until `deadline_ms` on the monotonic clock, and for
 * `other` too if it is not NULL; what the daemon sent comes first. 0, a connection_outcome or
 * -errno.
 */
int connection_receive(struct connection *connection, struct pollfd *other, uint64_t deadline_ms,
                       json_t **message);
