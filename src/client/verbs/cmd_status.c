/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl status: the daemon at a glance.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "client/connection.h"
#include "client/follower.h"
#include "client/network_view.h"
#include "client/options.h"
#include "client/output.h"
#include "client/peer_view.h"
#include "client/verb.h"
#include "client/view.h"

enum { AMOUNT_MAX = 2 * VIEW_SIZE_MAX + 16 };

static void print_listeners(struct ctl *ctl, const json_t *listeners)
{
    size_t i;
    json_t *listener;
    json_array_foreach(listeners, i, listener)
    {
        const char *address = member_string(listener, "address", "?");
        const bool bare_ipv6 = strchr(address, ':') != NULL && address[0] != '[';
        output_line(
            ctl, "  %-12s %s%s%s:%" JSON_INTEGER_FORMAT "%s", i == 0 ? "listens on" : "",
            bare_ipv6 ? "[" : "", address, bare_ipv6 ? "]" : "", member_integer(listener, "port"),
            json_is_true(json_object_get(listener, "inherited")) ? " (p2pchatd-peer.socket)" : "");
    }
    if (json_array_size(listeners) == 0)
        output_line(ctl, "  %-12s nothing: peers can't reach this daemon", "listens on");
}

/* "1 message, 12 B" of {messages, bytes}. */
static void format_amount(const json_t *amount, char text[static AMOUNT_MAX])
{
    const json_int_t messages = member_integer(amount, "messages");
    char size[VIEW_SIZE_MAX];
    view_size(member_integer(amount, "bytes"), size);
    snprintf(text, AMOUNT_MAX, "%" JSON_INTEGER_FORMAT " message%s, %s", messages,
             messages == 1 ? "" : "s", size);
}

static void print_store(struct ctl *ctl, const json_t *status)
{
    const json_t *store = json_object_get(status, "store");
    char amount[AMOUNT_MAX], free_size[VIEW_SIZE_MAX];
    format_amount(json_object_get(status, "queue"), amount);
    output_line(ctl, "  %-12s %s", "queue", amount);
    format_amount(store, amount);
    if (json_object_get(store, "free_bytes") == NULL) {
        output_line(ctl, "  %-12s %s", "store", amount);
        return;
    }
    view_size(member_integer(store, "free_bytes"), free_size);
    output_line(ctl, "  %-12s %s; %s free on its disk", "store", amount, free_size);
    if (json_is_true(json_object_get(store, "inbound_full")))
        output_advice(ctl, "  %-12s full: nothing from peers is taken (see: p2pchatctl doctor)",
                      "inbound");
}

static void print_overview(struct ctl *ctl, const json_t *status)
{
    const json_int_t requests = member_integer(status, "requests");
    const size_t followers = json_array_size(json_object_get(status, "followers"));
    char uptime[VIEW_DURATION_MAX];
    view_duration(member_integer(status, "uptime_s"), uptime);
    output_line(ctl, "p2pchatd %s, up %s", member_string(status, "version", "?"), uptime);
    output_line(ctl, "  %-12s %s", "fingerprint", member_string(status, "fingerprint", "?"));
    if (json_object_get(status, "suites") != NULL)
        output_line(ctl, "  %-12s %s", "encryption",
                    peer_view_post_quantum(status) ? "post-quantum with peers that can, too"
                                                   : "X25519; OpenSSL here has no ML-KEM");
    print_listeners(ctl, json_object_get(status, "listeners"));
    print_store(ctl, status);
    output_line(ctl, "  %-12s %zu", "followers", followers);
    if (json_object_get(status, "cloned") != NULL)
        output_advice(ctl,
                      "  %-12s another machine uses this machine's key (see: p2pchatctl doctor)",
                      "TROUBLE");
    if (requests > 0)
        output_advice(ctl,
                      "  %-12s %" JSON_INTEGER_FORMAT
                      " waiting for a yes (see: p2pchatctl peer requests)",
                      "requests", requests);
}

static int print(struct ctl *ctl, const json_t *status)
{
    if (ctl->json) {
        output_json(ctl, status, '\n');
        return ctl->status;
    }
    const json_t *peers = json_object_get(status, "peers");
    print_overview(ctl, status);
    output_bytes(ctl, SPAN("\n", 1));
    if (json_array_size(peers) > 0)
        return peer_view_table(ctl, peers);
    output_line(ctl, "No peers yet. Make an invite, and give it to the other side:");
    output_advice(ctl, "  p2pchatctl invite NAME");
    output_line(ctl, "Or take up the one that the other side has made:");
    output_advice(ctl, "  p2pchatctl join 'p2pchat://...' NAME");
    return ctl->status;
}

/* --- watching --------------------------------------------------------------------------------- */

/* Whether there is more to see than that time has passed. */
static bool differs(const json_t *a, const json_t *b)
{
    if (a == NULL)
        return true;
    CLEANUP(json_release) json_t *one = json_copy((json_t *)a), *other = json_copy((json_t *)b);
    json_object_del(one, "uptime_s");
    json_object_del(other, "uptime_s");
    return json_equal(one, other) == 0;
}

/* Shows the status in place of the last one; off a terminal only if something has changed. */
static int show_again(struct ctl *ctl, json_t **last)
{
    json_t *status = NULL;
    /* The next wait finds a lost connection, and waits for the daemon. */
    if (ctl->connection == NULL || ctl_ask(ctl, "status", json_object(), &status) != 0)
        return ctl->status;
    const bool shown = ctl->terminal || differs(*last, status);
    if (ctl->terminal && !ctl->json && shown)
        output_bytes(ctl, SPAN("\033[H\033[2J", 7));
    if (shown)
        print(ctl, status);
    json_decref(*last);
    *last = status;
    return ctl->status;
}

/* Waits until something happens, or for a while, since not everything is an event. False: end. */
static bool wait_for_change(struct follower *follower)
{
    enum { REFRESH_MS = 2000, CALM_MS = 50 };
    uint64_t deadline = clock_monotonic_ms() + REFRESH_MS;
    for (;;) {
        CLEANUP(json_release) json_t *event = NULL;
        const int r = follower_next(follower, deadline, &event);
        if (r != 0)
            return r == FOLLOWER_TIMEOUT || r == FOLLOWER_RESUMED;
        /* What comes at once is shown at once. */
        const uint64_t calm = clock_monotonic_ms() + CALM_MS;
        deadline = calm < deadline ? calm : deadline;
    }
}

static int watch(struct ctl *ctl)
{
    CLEANUP(follower_deinit) struct follower follower = {0};
    CLEANUP(json_release) json_t *last = NULL;
    if (follower_init(&follower, ctl, json_object(), NULL, CONNECTION_NEVER) != 0)
        return ctl->status;
    follower.for_output = true;
    while (show_again(ctl, &last) == EX_OK && output_flush(ctl) && wait_for_change(&follower))
        continue;
    return ctl->status;
}

/* --- the network ------------------------------------------------------------------------------ */

static int show_network(struct ctl *ctl)
{
    CLEANUP(json_release) json_t *network = ctl_call(ctl, "network.status", json_object());
    if (network == NULL)
        return ctl->status;
    if (ctl->json)
        output_json(ctl, network, '\n');
    else
        network_view_print(ctl, network);
    return ctl->status;
}

/* 'w' and 'n': to watch, or the network; 0: neither. */
static int read_options(struct ctl *ctl, int argc, char **argv, int *wanted)
{
    static const struct option longs[] = {
        {"watch", no_argument, NULL, 'w'}, {"network", no_argument, NULL, 'n'}, OPTIONS_LONG};
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":" OPTIONS_SHORT, longs)) >= 0) {
        if (*wanted != 0 && *wanted != option)
            return options_misuse(ctl, "--watch and --network are one or the other");
        *wanted = option;
    }
    return option == OPTIONS_STOP ? OPTIONS_STOP : options_count(ctl, argc - optind, 0, 0);
}

int cmd_status(struct ctl *ctl, int argc, char **argv)
{
    int wanted = 0;
    if (read_options(ctl, argc, argv, &wanted) != 0)
        return ctl->status;
    if (wanted == 'w')
        return watch(ctl);
    if (wanted == 'n')
        return show_network(ctl);
    CLEANUP(json_release) json_t *status = ctl_call(ctl, "status", json_object());
    return status != NULL ? print(ctl, status) : ctl->status;
}
