/* SPDX-License-Identifier: ISC */
/*
 * Transfers, seen from the client.
 */
#include "client/transfer.h"

#include <string.h>
#include <unistd.h>

#include "client/connection.h"
#include "client/socket.h"

int transfer_await(struct ctl *ctl, json_int_t id, json_t **reply)
{
    for (;;) {
        json_t *message = NULL;
        int r = connection_receive(ctl->connection, NULL, CONNECTION_NEVER, &message);
        if (r != 0)
            return r;
        if (json_integer_value(json_object_get(message, "id")) == id) {
            *reply = message;
            return 0;
        }
        json_decref(message);
    }
}

int transfer_fetch(struct ctl *ctl, const char *id, json_int_t offset, int *socket,
                   json_int_t *request)
{
    int ends[2];
    int r = socket_pair(ends);
    if (r != 0)
        return r;
    r = ctl_request_with(ctl, "file.fetch", json_pack("{s:s,s:I}", "id", id, "offset", offset),
                         ends[1], request);
    close(ends[1]);
    if (r != 0)
        close(ends[0]);
    *socket = ends[0];
    return r;
}

int transfer_judge(struct ctl *ctl, const json_t *transfer)
{
    const char *state = member_string(transfer, "state", "?");
    const char *peer = member_string(transfer, "peer", "the peer");
    if (strcmp(state, "done") == 0)
        return 0;
    if (strcmp(state, "cancelled") == 0)
        return ctl_fail(ctl, RPC_KIND_cancelled, "the transfer was cancelled");
    if (strcmp(state, "expired") == 0)
        return ctl_fail(ctl, RPC_KIND_expired, "%s did not take it in time", peer);
    return ctl_fail(ctl, RPC_KIND_rejected, "%s did not take it: %s", peer,
                    member_string(transfer, "reason", state));
}
