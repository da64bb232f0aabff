/* SPDX-License-Identifier: ISC */
/*
 * A connection to the daemon over its UNIX socket. Reads have a deadline; writes wait until the
 * daemon takes them, and meanwhile take what it says, so that the two never wait for each other.
 */
#include "client/connection.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "rpc/rpc_line.h"
#include "rpc/rpc_message.h"
#include "rpc/rpc_path.h"

enum {
    READ_SIZE = 64 * 1024,
    WRITE_SIZE = 64 * 1024,        /* requests don't wait any longer for others */
    REPLY_MAX = 256 * 1024 * 1024, /* bytes: a page of history is far larger than any request */
};

struct connection {
    int fd;
    struct rpc_line in;
    struct bytes out; /* requests that wait for others to go along with */
};

int connection_open(const char *path, struct connection **connection)
{
    int fd = rpc_path_connect(path);
    if (fd < 0)
        return fd;
    struct connection *new = calloc(1, sizeof *new);
    if (new == NULL) {
        close(fd);
        return -ENOMEM;
    }
    new->fd = fd;
    new->in.limit = REPLY_MAX;
    *connection = new;
    return 0;
}

void connection_free(struct connection *connection)
{
    if (connection == NULL)
        return;
    close(connection->fd);
    rpc_line_deinit(&connection->in);
    bytes_deinit(&connection->out);
    free(connection);
}

static int read_more(struct connection *connection)
{
    uint8_t data[READ_SIZE];
    ssize_t size;
    do
        size = read(connection->fd, data, sizeof data);
    while (size < 0 && errno == EINTR);
    if (size <= 0)
        return CONNECTION_LOST;
    return rpc_line_feed(&connection->in, SPAN(data, (size_t)size));
}

/* Waits until the daemon takes something, or takes what it says. */
static int give_way(struct connection *connection)
{
    struct pollfd polled = {.fd = connection->fd, .events = POLLIN | POLLOUT};
    if (poll(&polled, 1, -1) < 0)
        return errno == EINTR ? 0 : CONNECTION_LOST;
    return (polled.revents & POLLIN) != 0 ? read_more(connection) : 0;
}

static int write_all(struct connection *connection, struct span data)
{
    int r = 0;
    while (r == 0 && data.size > 0) {
        const ssize_t sent =
            send(connection->fd, data.data, data.size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            data = SPAN(data.data + sent, data.size - (size_t)sent);
        else if (errno == EAGAIN)
            r = give_way(connection);
        else if (errno != EINTR)
            r = CONNECTION_LOST;
    }
    return r;
}

/* Writes some of the bytes, with the descriptor. How many, or CONNECTION_LOST in *outcome. */
static size_t write_with(int fd, struct span data, int descriptor, int *outcome)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {0};
    struct iovec piece = {(void *)(uintptr_t)data.data, data.size};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
    ssize_t sent;
    do
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    *outcome = sent < 0 ? CONNECTION_LOST : 0;
    return sent < 0 ? 0 : (size_t)sent;
}

int descriptor_send(int fd, int descriptor)
{
    int r;
    write_with(fd, SPAN("", 1), descriptor, &r);
    return r;
}

static int flush(struct connection *connection)
{
    int r = write_all(connection, bytes_span(&connection->out));
    bytes_clear(&connection->out);
    return r;
}

int connection_queue(struct connection *connection, json_t *message)
{
    int r = message != NULL ? rpc_write(&connection->out, message) : -ENOMEM;
    json_decref(message);
    return r == 0 && connection->out.size >= WRITE_SIZE ? flush(connection) : r;
}

int connection_send(struct connection *connection, json_t *message)
{
    return connection_send_with(connection, message, -1);
}

int connection_send_with(struct connection *connection, json_t *message, int descriptor)
{
    struct bytes line = {0};
    size_t sent = 0;
    int r = message != NULL ? rpc_write(&line, message) : -ENOMEM;
    if (r == 0)
        r = flush(connection);
    if (r == 0 && descriptor >= 0)
        sent = write_with(connection->fd, bytes_span(&line), descriptor, &r);
    if (r == 0)
        r = write_all(connection, SPAN(line.data + sent, line.size - sent));
    bytes_deinit(&line);
    json_decref(message);
    return r;
}

/* What is left until the deadline, as poll(2) wants it. */
static int poll_timeout(uint64_t deadline_ms)
{
    if (deadline_ms == CONNECTION_NEVER)
        return -1;
    const uint64_t now = clock_monotonic_ms();
    if (now >= deadline_ms)
        return 0;
    return deadline_ms - now < INT_MAX ? (int)(deadline_ms - now) : INT_MAX;
}

/* Waits for either descriptor. 0: the daemon has something to read. */
static int wait_readable(int fd, struct pollfd *other, uint64_t deadline_ms)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = -1}};
    int ready;
    if (other != NULL)
        fds[1] = (struct pollfd){.fd = other->fd, .events = other->events};
    do
        ready = poll(fds, 2, poll_timeout(deadline_ms));
    while (ready < 0 && errno == EINTR);
    if (ready < 0)
        return -errno;
    if (ready == 0)
        return CONNECTION_TIMEOUT;
    if (fds[0].revents != 0)
        return 0;
    other->revents = fds[1].revents;
    return CONNECTION_OTHER;
}

bool connection_pending(struct connection *connection)
{
    return rpc_line_waiting(&connection->in);
}

int connection_receive(struct connection *connection, struct pollfd *other, uint64_t deadline_ms,
                       json_t **message)
{
    struct span line;
    int r;
    while ((r = rpc_line_next(&connection->in, &line)) == RPC_LINE_NONE) {
        r = flush(connection);
        if (r == 0)
            r = wait_readable(connection->fd, other, deadline_ms);
        if (r == 0)
            r = read_more(connection);
        if (r != 0)
            return r;
    }
    *message = r == 0 ? rpc_read(line) : NULL;
    return *message != NULL ? 0 : CONNECTION_LOST;
}
