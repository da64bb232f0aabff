/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl forward: connections to an address of this machine become streams to a peer's service.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "client/connection.h"
#include "client/options.h"
#include "client/socket.h"
#include "client/verb.h"

enum { AT_ONCE_DEFAULT = 64 };

struct forward {
    const char *peer;
    const char *service;
    const char *address;
    json_int_t max;
    int listener;
    json_int_t open; /* streams, and those that are being opened */
};

static int read_options(struct ctl *ctl, struct forward *forward, int argc, char **argv)
{
    static const struct option longs[] = {{"peer", required_argument, NULL, 'p'},
                                          {"listen", required_argument, NULL, 'l'},
                                          {"max", required_argument, NULL, 'm'},
                                          OPTIONS_LONG};
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":p:" OPTIONS_SHORT, longs)) >= 0) {
        if (option == 'p' && options_peer(ctl, optarg, &forward->peer) != 0)
            return OPTIONS_STOP;
        if (option == 'l')
            forward->address = optarg;
        if (option == 'm' && options_number(ctl, "--max", optarg, &forward->max) != 0)
            return OPTIONS_STOP;
    }
    if (option == OPTIONS_STOP ||
        options_service(ctl, argc - optind, argv + optind, &forward->peer, &forward->service) != 0)
        return OPTIONS_STOP;
    if (forward->address == NULL)
        return options_misuse(ctl, "where? say it with --listen");
    const char *flaw = socket_flaw(forward->address);
    if (flaw != NULL)
        return options_misuse(ctl, "can't listen at \"%s\": %s", forward->address, flaw);
    if (forward->max < 1)
        return options_misuse(ctl, "--max must be at least 1");
    return 0;
}

/* Hands a new connection over. 0, CONNECTION_LOST or -errno. */
static int take_one(struct ctl *ctl, struct forward *forward)
{
    json_int_t id;
    const int fd = accept4(forward->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return 0; /* it went before we came to it */
    json_t *params = json_pack("{s:s,s:s}", "peer", forward->peer, "service", forward->service);
    const int r = ctl_request_with(ctl, "stream.open", params, fd, &id);
    close(fd);
    forward->open++;
    return r;
}

/* A stream that could not be opened, or has ended. */
static void take_message(struct ctl *ctl, struct forward *forward, const json_t *message)
{
    const json_t *params = json_object_get(message, "params");
    const json_t *error = json_object_get(message, "error");
    if (error == NULL && strcmp(member_string(params, "type", ""), "ended") != 0)
        return;
    forward->open--;
    if (error == NULL)
        error = json_object_get(params, "error");
    if (error != NULL)
        ctl_note(ctl, "%s", member_string(error, "message", "a stream failed"));
}

/* Waits for the daemon to come back; its streams have ended. 0 or ctl->status. */
static int come_back(struct ctl *ctl, struct forward *forward)
{
    ctl_note(ctl, "the daemon went away; waiting for it");
    forward->open = 0;
    const int r = ctl_reconnect(ctl, CONNECTION_NEVER);
    return r == 0 ? 0 : ctl_fail_connection(ctl, r);
}

static int run(struct ctl *ctl, struct forward *forward)
{
    for (;;) {
        CLEANUP(json_release) json_t *message = NULL;
        struct pollfd listener = {.fd = forward->listener, .events = POLLIN};
        int r = connection_receive(ctl->connection, forward->open < forward->max ? &listener : NULL,
                                   CONNECTION_NEVER, &message);
        if (r == 0)
            take_message(ctl, forward, message);
        else if (r == CONNECTION_OTHER)
            r = take_one(ctl, forward);
        if (r == CONNECTION_LOST && come_back(ctl, forward) != 0)
            return ctl->status;
        if (r < 0)
            return ctl_fail_connection(ctl, r);
    }
}

int cmd_forward(struct ctl *ctl, int argc, char **argv)
{
    struct forward forward = {.max = AT_ONCE_DEFAULT};
    if (read_options(ctl, &forward, argc, argv) != 0)
        return ctl->status;
    CLEANUP(json_release)
    json_t *peer = ctl_call(ctl, "peer.get", json_pack("{s:s}", "name", forward.peer));
    if (peer == NULL)
        return ctl->status;
    forward.listener = socket_listen(forward.address);
    if (forward.listener < 0)
        return ctl_fail_as(ctl, EX_OSERR, "listen", "can't listen at %s: %s", forward.address,
                           strerror(-forward.listener));
    ctl_note(ctl, "%s leads to %s of %s; end it with ^C", forward.address, forward.service,
             forward.peer);
    return run(ctl, &forward);
}
