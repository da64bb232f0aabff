/* SPDX-License-Identifier: ISC */
/*
 * Clients of a daemon that can't start.
 */
#include "daemon/turn_away.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/notify.h"
#include "rpc/rpc_message.h"

static bool is_readable(int fd, int patience_ms)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return poll(&polled, 1, patience_ms) > 0;
}

/* Its request is read first: a client that could not write would not look for an answer. */
static void turn_away(int client, struct span answer)
{
    char request[4096];
    if (is_readable(client, TURN_AWAY_PATIENCE_MS))
        (void)recv(client, request, sizeof request, MSG_DONTWAIT);
    (void)send(client, answer.data, answer.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(client);
}

/* Those for which the units say RestartPreventExitStatus=. */
static bool is_final(enum exit_status status)
{
    return status == EXIT_STATUS_USAGE || status == EXIT_STATUS_OS || status == EXIT_STATUS_CONFIG;
}

void turn_away_clients(enum exit_status status)
{
    const int listener = is_final(status) ? notify_socket("control", 0) : -1;
    CLEANUP(bytes_deinit) struct bytes answer = {0};
    if (listener < 0)
        return;
    json_t *error = rpc_error_of_kind(NULL, RPC_KIND_not_started,
                                      "p2pchatd can't start; for the reason: journalctl -u "
                                      "p2pchatd, or journalctl --user -u p2pchatd");
    int r = error != NULL ? rpc_write(&answer, error) : -ENOMEM;
    json_decref(error);
    for (int count = 0; r == 0 && count < TURN_AWAY_MAX && is_readable(listener, 0); count++) {
        const int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        r = client < 0 ? -errno : 0;
        if (r == 0)
            turn_away(client, bytes_span(&answer));
    }
}
