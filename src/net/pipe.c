/* SPDX-License-Identifier: ISC */
/*
 * A handed socket: what may be taken, and how it is used without ever waiting for it.
 */
#include "net/pipe.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/libevent.h"
#include "net/socket.h"

struct pipe {
    int fd;
    int family;
    struct event *reader;
    struct event *writer;
    const struct pipe_events *events;
    void *context;
};

static int get_option(int fd, int name)
{
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -errno;
}

/* Also an end that keeps a copy can set this again, so it is done before each close too. */
static void forget_lingering(int fd)
{
    const struct linger off = {0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
}

/* The family of a socket that may be taken, or -errno. */
static int check(int fd)
{
    union socket_address other;
    socklen_t size = sizeof other;
    int family = socket_family(fd);
    int protocol = get_option(fd, SO_PROTOCOL);
    bool is_stream = get_option(fd, SO_TYPE) == SOCK_STREAM && get_option(fd, SO_ACCEPTCONN) == 0;
    bool is_unix = family == AF_UNIX && protocol == 0;
    bool is_tcp = (family == AF_INET || family == AF_INET6) && protocol == IPPROTO_TCP;
    if (!is_stream || !(is_unix || is_tcp) || getpeername(fd, &other.any, &size) < 0)
        return -ENOTSOCK;
    return family;
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    struct pipe *pipe = argument;
    (void)fd;
    (void)what;
    pipe->events->readable(pipe->context);
}

static void on_writable(evutil_socket_t fd, short what, void *argument)
{
    struct pipe *pipe = argument;
    (void)fd;
    (void)what;
    pipe->events->writable(pipe->context);
}

int pipe_new(struct pipe **pipe, struct loop *loop, int fd, const struct pipe_events *events,
             void *context)
{
    struct event_base *base = loop_base(loop);
    int family = check(fd);
    struct pipe *made = family >= 0 ? calloc(1, sizeof *made) : NULL;
    if (made == NULL) {
        close(fd);
        return family < 0 ? family : -ENOMEM;
    }
    *made = (struct pipe){.fd = fd, .family = family, .events = events, .context = context};
    forget_lingering(fd);
    made->reader = event_new(base, fd, EV_READ, on_readable, made);
    made->writer = event_new(base, fd, EV_WRITE, on_writable, made);
    if (made->reader == NULL || made->writer == NULL) {
        pipe_free(made);
        return -ENOMEM;
    }
    *pipe = made;
    return 0;
}

int pipe_pair(struct pipe **pipe, struct loop *loop, const struct pipe_events *events,
              void *context, int *other)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -errno;
    int r = pipe_new(pipe, loop, ends[0], events, context);
    if (r < 0)
        close(ends[1]);
    *other = ends[1];
    return r;
}

void pipe_free(struct pipe *pipe)
{
    if (pipe == NULL)
        return;
    if (pipe->reader != NULL)
        event_free(pipe->reader);
    if (pipe->writer != NULL)
        event_free(pipe->writer);
    forget_lingering(pipe->fd);
    close(pipe->fd);
    free(pipe);
}

void pipe_watch(struct pipe *pipe, bool readable, bool writable)
{
    if (readable)
        event_add(pipe->reader, NULL);
    else
        event_del(pipe->reader);
    if (writable)
        event_add(pipe->writer, NULL);
    else
        event_del(pipe->writer);
}

ssize_t pipe_receive(struct pipe *pipe, struct iovec *pieces, int count)
{
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
    ssize_t size = recvmsg(pipe->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC);
    if (size < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    return size;
}

ssize_t pipe_send(struct pipe *pipe, struct iovec *pieces, int count)
{
    const struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
    ssize_t size = sendmsg(pipe->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    return size;
}

void pipe_finish(struct pipe *pipe)
{
    shutdown(pipe->fd, SHUT_WR);
}

void pipe_refuse(struct pipe *pipe)
{
    shutdown(pipe->fd, SHUT_RD);
}

bool pipe_is_unix(const struct pipe *pipe)
{
    return pipe->family == AF_UNIX;
}

bool pipe_gone(const struct pipe *pipe)
{
    struct pollfd state = {.fd = pipe->fd};
    return poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR)) != 0;
}
