/* SPDX-License-Identifier: ISC */
/*
 * A client of one method, which waits for each answer.
 */
#define LOG_COMPONENT "backup"
#include "daemon/snapshot_client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/rpc_line.h"
#include "rpc/rpc_message.h"
#include "rpc/rpc_path.h"

static int send_request(int fd)
{
    struct bytes line = {0};
    json_t *request = rpc_call(1, "store.snapshot", NULL);
    int r = request != NULL ? rpc_write(&line, request) : -ENOMEM;
    /* It is short: the socket takes it whole. */
    if (r == 0 && send(fd, line.data, line.size, MSG_NOSIGNAL) != (ssize_t)line.size)
        r = -EPIPE;
    json_decref(request);
    bytes_deinit(&line);
    return r;
}

/* The next line, as JSON. 0 or -errno. */
static int receive(int fd, struct rpc_line *lines, json_t **message)
{
    struct span line;
    char data[4096];
    int r;
    while ((r = rpc_line_next(lines, &line)) == RPC_LINE_NONE) {
        ssize_t size = recv(fd, data, sizeof data, 0);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return size == 0 ? -EPIPE : -errno;
        r = rpc_line_feed(lines, SPAN(data, (size_t)size));
        if (r < 0)
            return r;
    }
    *message = r == 0 ? rpc_read(line) : NULL;
    return *message != NULL ? 0 : -EPROTO;
}

/* One call: how many pages are left, and at the end what the daemon says. */
static int step(int fd, struct rpc_line *lines, json_int_t *left, json_t **said)
{
    json_t *reply = NULL;
    const char *complaint;
    int r = send_request(fd);
    if (r == 0)
        r = receive(fd, lines, &reply);
    json_t *result = json_object_get(reply, "result");
    if (r < 0) {
        log_error("the daemon does not answer: %s", strerror(-r));
    } else if (json_unpack(reply, "{s:{s:s}}", "error", "message", &complaint) == 0) {
        log_error("%s", complaint);
        r = -EIO;
    } else if (json_unpack(result, "{s:I}", "left", left) < 0) {
        log_error("the daemon gives no sensible answer");
        r = -EPROTO;
    } else if (*left == 0) {
        *said = json_incref(result);
    }
    json_decref(reply);
    return r;
}

int snapshot_client_ask(const char *control, int *connection, json_t **said)
{
    struct rpc_line lines = {0};
    json_int_t left = 1;
    int fd = rpc_path_connect(control);
    if (fd == -ECONNREFUSED || fd == -ENOENT)
        return fd;
    if (fd < 0) {
        log_error("%s: %s", control, strerror(-fd));
        return fd;
    }
    int r = 0;
    while (r == 0 && left > 0)
        r = step(fd, &lines, &left, said);
    rpc_line_deinit(&lines);
    if (r < 0)
        close(fd);
    else
        *connection = fd;
    return r;
}
