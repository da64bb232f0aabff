/* SPDX-License-Identifier: ISC */
/*
 * A connected socket that somebody handed us: no buffers, just readiness and what the kernel takes.
 *
 * Whoever handed it over may keep a copy, whose flags and options are the same: so nothing here
 * relies on O_NONBLOCK, and closing never waits.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "net/loop.h"

struct pipe_events {
    void (*readable)(void *context);
    void (*writable)(void *context);
};

struct pipe;

/*
 * Takes over a descriptor, also when this fails. It must be a connected stream socket of UNIX, or
 * of TCP over IPv4 or IPv6. 0, -ENOTSOCK for anything else, or another -errno.
 */
int pipe_new(struct pipe **pipe, struct loop *loop, int fd, const struct pipe_events *events,
             void *context);

/* One end of a connection within this process; *other is the other one. 0 or -errno. */
int pipe_pair(struct pipe **pipe, struct loop *loop, const struct pipe_events *events,
              void *context, int *other);

/* Closes it at once. NULL is allowed. */
void pipe_free(struct pipe *pipe);

/* What is to be told, and again after each time it was: each call back switches itself off. */
void pipe_watch(struct pipe *pipe, bool readable, bool writable);

/* Bytes that were moved; reading, 0 is the end. -EAGAIN or another -errno. Neither ever waits. */
ssize_t pipe_receive(struct pipe *pipe, struct iovec *pieces, int count);
ssize_t pipe_send(struct pipe *pipe, struct iovec *pieces, int count);

/* Nothing more will be sent, or read: writing at the other end of a UNIX one gives SIGPIPE. */
void pipe_finish(struct pipe *pipe);
void pipe_refuse(struct pipe *pipe);

bool pipe_is_unix(const struct pipe *pipe);

/* Whether the other end has closed both ways. */
bool pipe_gone(const struct pipe *pipe);
