/* SPDX-License-Identifier: ISC */
/*
 * How much of our disk may go to messages from peers.
 */
#define LOG_COMPONENT "quota"
#include "core/quota.h"

#include "base/log.h"
#include "base/number.h"
#include "base/shell.h"
#include "core/peer.h"
#include "store/inbound.h"

void quota_init(struct quota *quota, const struct runtime *runtime)
{
    quota->runtime = runtime;
    list_init(&quota->full);
}

/* A store that failed says so elsewhere. */
static uint64_t taken(const struct quota *quota, int64_t peer)
{
    uint64_t bytes;
    return inbound_bytes(quota->runtime->db, peer, &bytes) == 0 ? bytes : 0;
}

static bool within(uint64_t bytes, uint64_t limit)
{
    return bytes < limit;
}

bool quota_spent(const struct quota *quota)
{
    return !within(taken(quota, 0), quota->runtime->settings.inbound_total);
}

static bool has_room(const struct quota *quota, const struct peer *peer)
{
    return !quota_spent(quota) &&
           within(taken(quota, peer->row.id), quota->runtime->settings.inbound_limit);
}

/* The same with something to spare, so that it does not come and go with each message. */
static bool has_ease(const struct quota *quota, const struct peer *peer)
{
    const uint64_t limit = quota->runtime->settings.inbound_limit;
    const uint64_t total = quota->runtime->settings.inbound_total;
    return within(taken(quota, peer->row.id), limit - limit / QUOTA_EASE) &&
           within(taken(quota, 0), total - total / QUOTA_EASE);
}

static void tell(const struct quota *quota, const struct peer *peer)
{
    const bool all = quota_spent(quota);
    const struct settings *settings = &quota->runtime->settings;
    char size[QUANTITY_TEXT_MAX];
    size_format(all ? settings->inbound_total : settings->inbound_limit, size);
    log_event(LOG_LEVEL_WARNING, "inbound-full", peer->row.name,
              "the messages of %s take %s of the disk here, as much as %s allows: it is not read "
              "from until some are removed (p2pchatctl purge -p %s --before -7d) or the limit is "
              "raised",
              all ? "all peers" : "this peer", size, all ? "inbound-limit-total" : "inbound-limit",
              shell_word(peer->row.name).text);
}

bool quota_admits(struct quota *quota, struct link *link)
{
    struct peer *peer = link->peer;
    if (has_room(quota, peer))
        return true;
    if (!peer_full(peer)) {
        list_append(&quota->full, &peer->full);
        tell(quota, peer);
    }
    link_hold(link, QUOTA_HOLD_MS);
    return false;
}

/* It is to come with what was not taken. */
static void call_back(struct peer *peer)
{
    log_event(LOG_LEVEL_NOTICE, "inbound-ok", peer->row.name,
              "there is room for its messages again");
    list_remove(&peer->full);
    if (peer->link == NULL)
        peer_dial_at_once(peer);
    else if (peer->link->held_until_ms != 0)
        link_close(peer->link, CLOSE_GOING_AWAY);
}

void quota_turn(struct quota *quota)
{
    list_for_each_safe (place, &quota->full) {
        struct peer *peer = container_of(place, struct peer, full);
        if (has_ease(quota, peer))
            call_back(peer);
    }
}
