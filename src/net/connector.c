/* SPDX-License-Identifier: ISC */
/*
 * Connecting to one address.
 */
#include "net/connector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "net/libevent.h"
#include "net/socket.h"

struct connector {
    struct loop *loop;
    int fd;
    struct event *event;
    connector_done *done;
    void *context;
};

void connector_cancel(struct connector *connector)
{
    if (connector == NULL)
        return;
    if (connector->event != NULL)
        event_free(connector->event);
    if (connector->fd >= 0)
        close(connector->fd);
    free(connector);
}

DEFINE_CLEANUP(struct connector *, connector_cleanup, connector_cancel)

/* Why the connection cannot be used, or 0. */
static int find_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return errno;
    if (error == 0 && socket_is_self_connected(fd))
        return ECONNREFUSED; /* nobody listened on a port of our own, and TCP met itself there */
    return error;
}

static void on_connected(evutil_socket_t fd, short what, void *argument)
{
    struct connector *connector = argument;
    connector_done *done = connector->done;
    void *context = connector->context;
    struct stream *stream = NULL;
    int error = find_error(fd);
    (void)what;
    if (error == 0)
        error = -stream_new(&stream, connector->loop, fd);
    if (error == 0)
        connector->fd = -1;
    connector_cancel(connector);
    done(context, stream, error != 0 ? strerror(error) : NULL);
}

int connector_start(struct connector **result, struct loop *loop, const struct sockaddr *address,
                    socklen_t size, connector_done *done, void *context)
{
    CLEANUP(connector_cleanup) struct connector *connector = calloc(1, sizeof *connector);
    if (connector == NULL)
        return -ENOMEM;
    *connector = (struct connector){.loop = loop, .fd = -1, .done = done, .context = context};
    connector->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connector->fd < 0)
        return -errno;
    if (connect(connector->fd, address, size) < 0 && errno != EINPROGRESS)
        return -errno;
    connector->event = event_new(loop_base(loop), connector->fd, EV_WRITE, on_connected, connector);
    if (connector->event == NULL || event_add(connector->event, NULL) < 0)
        return -ENOMEM;
    *result = STEAL(connector);
    return 0;
}
