/* SPDX-License-Identifier: ISC */
/*
 * Local ends of streams: a simulated machine has none, so nobody can hand one over.
 */
#include "net/pipe.h"

#include <errno.h>

struct pipe;

int pipe_new(struct pipe **pipe, struct loop *loop, int fd, const struct pipe_events *events,
             void *context)
{
    (void)pipe;
    (void)loop;
    (void)fd;
    (void)events;
    (void)context;
    return -ENOTSOCK;
}

int pipe_pair(struct pipe **pipe, struct loop *loop, const struct pipe_events *events,
              void *context, int *other)
{
    *other = -1;
    return pipe_new(pipe, loop, -1, events, context);
}

void pipe_free(struct pipe *pipe)
{
    (void)pipe;
}

void pipe_watch(struct pipe *pipe, bool readable, bool writable)
{
    (void)pipe;
    (void)readable;
    (void)writable;
}

ssize_t pipe_receive(struct pipe *pipe, struct iovec *pieces, int count)
{
    (void)pipe;
    (void)pieces;
    (void)count;
    return -EBADF;
}

ssize_t pipe_send(struct pipe *pipe, struct iovec *pieces, int count)
{
    return pipe_receive(pipe, pieces, count);
}

void pipe_finish(struct pipe *pipe)
{
    (void)pipe;
}

void pipe_refuse(struct pipe *pipe)
{
    (void)pipe;
}

bool pipe_is_unix(const struct pipe *pipe)
{
    (void)pipe;
    return true;
}

bool pipe_gone(const struct pipe *pipe)
{
    (void)pipe;
    return true;
}
