/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl stream: a service of a peer on standard input and output.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "client/connection.h"
#include "client/options.h"
#include "client/pump.h"
#include "client/socket.h"
#include "client/verb.h"

struct call {
    const char *peer;
    const char *service;
    uint64_t timeout_ms;
    bool resume;
    bool hand_over;
};

static int read_options(struct ctl *ctl, struct call *call, int argc, char **argv)
{
    static const struct option longs[] = {{"peer", required_argument, NULL, 'p'},
                                          {"timeout", required_argument, NULL, 't'},
                                          {"no-resume", no_argument, NULL, 'R'},
                                          {"fdpass", no_argument, NULL, 'F'},
                                          OPTIONS_LONG};
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":p:" OPTIONS_SHORT, longs)) >= 0) {
        if (option == 'p' && options_peer(ctl, optarg, &call->peer) != 0)
            return OPTIONS_STOP;
        if (option == 'R')
            call->resume = false;
        if (option == 'F')
            call->hand_over = true;
        if (option == 't' && options_duration(ctl, "--timeout", optarg, &call->timeout_ms) != 0)
            return OPTIONS_STOP;
    }
    return option == OPTIONS_STOP
               ? OPTIONS_STOP
               : options_service(ctl, argc - optind, argv + optind, &call->peer, &call->service);
}

/* Asks for the stream over one end of a connection. 0 or ctl->status. */
static int open_stream(struct ctl *ctl, const struct call *call, int socket)
{
    json_t *params = json_pack("{s:s,s:s,s:b,s:I}", "peer", call->peer, "service", call->service,
                               "resume", call->resume, "timeout_ms", (json_int_t)call->timeout_ms);
    CLEANUP(json_release) json_t *reply = NULL;
    if (ctl_connect(ctl) != 0) {
        json_decref(params);
        return ctl->status;
    }
    const int r = ctl_exchange_with(ctl, "stream.open", params, socket, &reply);
    if (r != 0)
        return ctl_fail_connection(ctl, r);
    const json_t *error = json_object_get(reply, "error");
    return error != NULL ? ctl_fail_reply(ctl, error) : 0;
}

/* How it ended, once that is known. The exit status. */
static int tell_end(struct ctl *ctl, const json_t *params)
{
    const json_t *error = json_object_get(params, "error");
    const json_t *signal = json_object_get(params, "signal");
    if (error != NULL)
        return ctl_fail_notified(ctl, error);
    ctl->status = signal != NULL ? 128 + (int)json_integer_value(signal)
                                 : (int)member_integer(params, "status");
    return ctl->status;
}

static int wait_end(struct ctl *ctl)
{
    for (;;) {
        CLEANUP(json_release) json_t *message = NULL;
        if (ctl->events != NULL && json_array_size(ctl->events) > 0) {
            message = json_incref(json_array_get(ctl->events, 0));
            json_array_remove(ctl->events, 0);
        } else {
            const int r = connection_receive(ctl->connection, NULL, CONNECTION_NEVER, &message);
            if (r != 0)
                return ctl_fail(ctl, RPC_KIND_lost, "the daemon went away, and the stream with it");
        }
        const json_t *params = json_object_get(message, "params");
        if (strcmp(member_string(params, "type", ""), "ended") == 0)
            return tell_end(ctl, params);
    }
}

/* Gives the other end to whoever reads our standard output. 0 or ctl->status. */
static int hand_over(struct ctl *ctl, int socket)
{
    if (descriptor_send(STDOUT_FILENO, socket) != 0)
        return ctl_fail(ctl, RPC_KIND_bad_descriptor,
                        "standard output takes no descriptor: it must be a UNIX socket, as ssh "
                        "makes one with ProxyUseFdpass=yes");
    return 0;
}

int cmd_stream(struct ctl *ctl, int argc, char **argv)
{
    struct call call = {.resume = true, .timeout_ms = 30000};
    int ends[2];
    if (read_options(ctl, &call, argc, argv) != 0)
        return ctl->status;
    if (socket_pair(ends) != 0)
        return ctl_fail(ctl, RPC_KIND_internal, "no socket is left");
    int r = open_stream(ctl, &call, ends[1]);
    close(ends[1]);
    if (r == 0 && call.hand_over)
        hand_over(ctl, ends[0]);
    if (r == 0 && !call.hand_over) {
        pump_run(ctl->in, STDOUT_FILENO, ends[0]);
        wait_end(ctl);
    }
    close(ends[0]);
    return ctl->status;
}
