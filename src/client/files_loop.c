/* SPDX-License-Identifier: ISC */
/*
 * All that a peer offers.
 *
 * The list says what there is to do; events say only that it is worth looking at again. So none has
 * to be remembered, and it is enough to look after each new beginning.
 */
#include "client/files_loop.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "client/connection.h"

enum { AGAIN_MS = 10 * 1000 }; /* what could not be got is tried again */

bool files_loop_is_open(const json_t *transfer, const char *peer)
{
    return strcmp(member_string(transfer, "direction", ""), "in") == 0 &&
           strcmp(member_string(transfer, "state", ""), "offered") == 0 &&
           (peer == NULL || strcmp(member_string(transfer, "peer", ""), peer) == 0);
}

/* From here on the connection tells of offers. As ctl_ask(). */
static int subscribe(struct ctl *ctl, const char *peer)
{
    json_t *followed;
    const int r =
        ctl_ask(ctl, "follow", json_pack("{s:[s],s:[s]}", "types", "file.offered", "peers", peer),
                &followed);
    if (r == 0)
        json_decref(followed);
    return r;
}

/* Tries all that is open. *got: some of it is here now. As ctl_ask(). */
static int try_each(struct files_get *get, const char *peer, bool *got)
{
    json_t *result;
    size_t i;
    json_t *transfer;
    *got = false;
    const int r = ctl_ask(get->ctl, "file.list", json_object(), &result);
    if (r != 0)
        return r;
    json_array_foreach(json_object_get(result, "transfers"), i, transfer)
    {
        if (!files_loop_is_open(transfer, peer))
            continue;
        get->ctl->status = EX_OK;
        if (files_get_one(get, member_string(transfer, "id", "")) == EX_OK)
            *got = true;
    }
    json_decref(result);
    return 0;
}

/* Waits until something is said, or for a while. As connection_receive(). */
static int wait_for_offers(const struct ctl *ctl)
{
    json_t *message = NULL;
    if (json_array_size(ctl->events) > 0) {
        json_array_clear(ctl->events);
        return 0;
    }
    const int r =
        connection_receive(ctl->connection, NULL, clock_monotonic_ms() + AGAIN_MS, &message);
    json_decref(message);
    return r;
}

/* On one connection, until it is lost. CONNECTION_LOST, -errno, or -1 after telling. */
static int run(struct files_get *get, const char *peer)
{
    bool got;
    get->reconnected = false;
    int r = subscribe(get->ctl, peer);
    while (r == 0) {
        r = try_each(get, peer, &got);
        if (r == 0 && get->reconnected)
            return CONNECTION_LOST;
        if (r == 0 && !got)
            r = wait_for_offers(get->ctl);
        if (r == CONNECTION_TIMEOUT)
            r = 0;
    }
    return r;
}

int files_loop(struct files_get *get, const char *peer)
{
    struct ctl *ctl = get->ctl;
    if (ctl_connect(ctl) != 0)
        return ctl->status;
    for (;;) {
        int r = run(get, peer);
        if (r == CONNECTION_LOST)
            r = ctl_reconnect(ctl, CONNECTION_NEVER);
        if (r == -1)
            return ctl->status;
        if (r < 0)
            return ctl_fail_connection(ctl, r);
    }
}
