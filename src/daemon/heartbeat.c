/* SPDX-License-Identifier: ISC */
/*
 * The heartbeat. Its timers do no more than cause a turn; whatever is due is told when that turn
 * has settled.
 */
#include "daemon/heartbeat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/notify.h"

enum { STATUS_INTERVAL_MS = 1000 }; /* between two status texts, at least */

struct counts {
    unsigned online;
    unsigned peers;
    unsigned pending_keys;
};

struct heartbeat {
    struct node *node;
    struct timer *alive_timer;
    struct timer *status_timer;
    uint64_t alive_interval_ms; /* 0: nobody waits for it */
    uint64_t alive_due_ms;
    uint64_t status_due_ms; /* not before */
    struct counts told;
    bool started;
};

static void on_timer(void *context)
{
    (void)context;
}

int heartbeat_new(struct heartbeat **heartbeat, struct node *node)
{
    struct heartbeat *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    made->node = node;
    if (timer_new(&made->alive_timer, node_loop(node), on_timer, made) < 0 ||
        timer_new(&made->status_timer, node_loop(node), on_timer, made) < 0) {
        heartbeat_free(made);
        return -ENOMEM;
    }
    *heartbeat = made;
    return 0;
}

void heartbeat_free(struct heartbeat *heartbeat)
{
    if (heartbeat == NULL)
        return;
    timer_free(heartbeat->alive_timer);
    timer_free(heartbeat->status_timer);
    free(heartbeat);
}

static struct counts count(const struct node *node)
{
    const struct roster *roster = node_roster(node);
    return (struct counts){.peers = roster->count,
                           .online = roster->online,
                           .pending_keys = node_pending_keys(node)->count};
}

static void tell_status(struct heartbeat *heartbeat, const struct counts *counts, uint64_t now)
{
    if (counts->pending_keys > 0)
        notify_status("%u of %u peers online, %u unknown keys waiting", counts->online,
                      counts->peers, counts->pending_keys);
    else
        notify_status("%u of %u peers online", counts->online, counts->peers);
    heartbeat->told = *counts;
    heartbeat->status_due_ms = now + STATUS_INTERVAL_MS;
}

static void tell_alive(struct heartbeat *heartbeat, uint64_t now)
{
    notify_alive();
    heartbeat->alive_due_ms = now + heartbeat->alive_interval_ms;
    timer_arm_at(heartbeat->alive_timer, heartbeat->alive_due_ms);
}

void heartbeat_start(struct heartbeat *heartbeat)
{
    uint64_t now = loop_now(node_loop(heartbeat->node));
    struct counts counts = count(heartbeat->node);
    heartbeat->started = true;
    heartbeat->alive_interval_ms = notify_watchdog_ms() / 2;
    notify_ready();
    tell_status(heartbeat, &counts, now);
    if (heartbeat->alive_interval_ms > 0)
        tell_alive(heartbeat, now);
}

void heartbeat_settled(struct heartbeat *heartbeat)
{
    if (!heartbeat->started)
        return;
    uint64_t now = loop_now(node_loop(heartbeat->node));
    if (heartbeat->alive_interval_ms > 0 && now >= heartbeat->alive_due_ms)
        tell_alive(heartbeat, now);
    struct counts counts = count(heartbeat->node);
    if (memcmp(&counts, &heartbeat->told, sizeof counts) == 0)
        return;
    if (now >= heartbeat->status_due_ms)
        tell_status(heartbeat, &counts, now);
    else
        timer_arm_at(heartbeat->status_timer, heartbeat->status_due_ms);
}
