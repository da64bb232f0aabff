/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl wait-online: for units and scripts that need a peer.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "client/connection.h"
#include "client/follower.h"
#include "client/options.h"
#include "client/output.h"
#include "client/peers.h"
#include "client/verb.h"

struct wait_online {
    const char *peer; /* NULL: any */
    uint64_t deadline_ms;
};

static int read_options(struct ctl *ctl, struct wait_online *wait, int argc, char **argv)
{
    static const struct option longs[] = {{"peer", required_argument, NULL, 'p'},
                                          {"timeout", required_argument, NULL, 't'},
                                          OPTIONS_LONG};
    uint64_t ms;
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":p:" OPTIONS_SHORT, longs)) >= 0) {
        if (option == 'p') {
            if (options_peer(ctl, optarg, &wait->peer) != 0)
                return OPTIONS_STOP;
            continue;
        }
        if (options_duration(ctl, "--timeout", optarg, &ms) != 0)
            return OPTIONS_STOP;
        wait->deadline_ms = clock_monotonic_ms() + ms;
    }
    if (option == OPTIONS_STOP || options_count(ctl, argc - optind, 0, 1) != 0)
        return OPTIONS_STOP;
    return optind < argc ? options_peer(ctl, argv[optind], &wait->peer) : 0;
}

static bool is_online(const json_t *peer)
{
    return strcmp(member_string(peer, "link", ""), "online") == 0;
}

static bool any_online(const json_t *peers)
{
    size_t i;
    json_t *peer;
    json_array_foreach(peers, i, peer)
    {
        if (is_online(peer))
            return true;
    }
    return false;
}

/* Whether one of all peers is online now; as check_now(). */
static int check_all(struct ctl *ctl)
{
    size_t count = 0;
    json_t *params = json_object();
    bool more = true;
    while (more) {
        CLEANUP(json_release) json_t *result = NULL;
        const int r = ctl_ask(ctl, "peer.list", params, &result);
        const json_t *peers = json_object_get(result, "peers");
        if (r != 0)
            return r == CONNECTION_LOST ? 0 : -1;
        if (any_online(peers))
            return 1;
        count += json_array_size(peers);
        more = peers_more(result, &params);
    }
    if (count == 0)
        return ctl_fail(ctl, RPC_KIND_no_such_peer, "there is no peer to wait for"), -1;
    return 0;
}

/*
 * Whether the peer (or any) is online now. 0 (not yet), 1, or -1 after telling. When the connection
 * is lost it is not yet: the next wait finds that out, and waits for the daemon.
 */
static int check_now(struct ctl *ctl, const struct wait_online *wait)
{
    CLEANUP(json_release) json_t *result = NULL;
    if (wait->peer == NULL)
        return check_all(ctl);
    const int r = ctl_ask(ctl, "peer.get", json_pack("{s:s}", "name", wait->peer), &result);
    if (r != 0)
        return r == CONNECTION_LOST ? 0 : -1;
    return is_online(result);
}

static int fail_timeout(struct ctl *ctl, const char *peer)
{
    if (peer == NULL)
        return ctl_fail(ctl, RPC_KIND_timeout, "no peer is online in time");
    return ctl_fail(ctl, RPC_KIND_timeout, "%s is not online in time; why: p2pchatctl doctor",
                    peer);
}

/* Reads events until one says that a peer is online. The exit status. */
static int watch(struct ctl *ctl, const struct wait_online *wait, struct follower *follower)
{
    /* After the subscription, so that no peer can come online unseen between the two. */
    int online = check_now(ctl, wait);
    while (online == 0) {
        CLEANUP(json_release) json_t *event = NULL;
        switch (follower_next(follower, wait->deadline_ms, &event)) {
        case 0:
            online = strcmp(member_string(event, "type", ""), "peer.online") == 0;
            break;
        case FOLLOWER_RESUMED:
            online = check_now(ctl, wait);
            break;
        case FOLLOWER_TIMEOUT:
            return fail_timeout(ctl, wait->peer);
        default:
            return ctl->status;
        }
    }
    return ctl->status;
}

int cmd_wait_online(struct ctl *ctl, int argc, char **argv)
{
    CLEANUP(follower_deinit) struct follower follower = {0};
    struct wait_online wait = {.deadline_ms = CONNECTION_NEVER};
    if (read_options(ctl, &wait, argc, argv) != 0)
        return ctl->status;
    json_t *peers = wait.peer != NULL ? json_pack("[s]", wait.peer) : NULL;
    json_t *params = json_pack("{s:[s],s:o*}", "types", "peer.online", "peers", peers);
    const int r = follower_init(&follower, ctl, params, NULL, wait.deadline_ms);
    if (r == FOLLOWER_TIMEOUT)
        return fail_timeout(ctl, wait.peer);
    return r == 0 ? watch(ctl, &wait, &follower) : ctl->status;
}
