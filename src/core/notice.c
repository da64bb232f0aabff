/* SPDX-License-Identifier: ISC */
/*
 * Changes of the network.
 */
#define LOG_COMPONENT "notice"
#include "core/notice.h"

#include "base/log.h"

static uint64_t now(const struct notice *notice)
{
    return loop_now(notice->runtime->loop);
}

/* Whether something is to be done with it now. One that waits for its gap keeps no other waiting.
 */
static bool is_due(const struct notice *notice, const struct link *link)
{
    return link->doubted || (link->untold && tell_due(link) <= now(notice));
}

/* Asks whether it is alive, and tells it what is new. */
static void serve(const struct notice *notice, struct link *link)
{
    if (link->doubted)
        link_doubt(link);
    if (link->untold)
        tell_link(notice->tell, link);
}

/* Serves some of the links that something is to be done with, and comes again for the rest. */
static void on_step(void *context)
{
    struct notice *notice = context;
    unsigned left = notice->links->established_count / NOTICE_STEPS + 1;
    uint64_t next_ms = UINT64_MAX;
    list_for_each (node, &notice->links->established) {
        struct link *link = container_of(node, struct link, node);
        if (link->state != LINK_ACTIVE)
            continue;
        if (is_due(notice, link)) {
            if (left-- == 0) {
                next_ms = now(notice) + NOTICE_SPREAD_MS / NOTICE_STEPS;
                break;
            }
            serve(notice, link);
        }
        if (link->untold && tell_due(link) < next_ms)
            next_ms = tell_due(link);
    }
    timer_arm_at(notice->timer, next_ms);
}

static bool has_address_of(const struct notice *notice, const struct link *link)
{
    uint8_t address[ORIGIN_KEY_SIZE];
    return !stream_local(link->stream, address) || netwatch_has(notice->netwatch, address);
}

/* Why the link can't be alive; NULL if it may be. */
static const char *find_death(const struct notice *notice, const struct link *link,
                              const struct netwatch_news *news)
{
    if (news->suspended_ms >= NOTICE_SLEPT_MS)
        return "this machine was suspended";
    return has_address_of(notice, link) ? NULL : "this machine lost the address";
}

static void judge_links(struct notice *notice, const struct netwatch_news *news)
{
    bool doubt = (news->changes & (NETWATCH_ROUTES | NETWATCH_RESUMED | NETWATCH_CLOCK)) != 0;
    list_for_each_safe (node, &notice->links->established) {
        struct link *link = container_of(node, struct link, node);
        const char *death = find_death(notice, link, news);
        if (link->state != LINK_ACTIVE)
            continue;
        link->doubted |= doubt;
        link->untold = true;
        if (death != NULL)
            link_drop(link, death);
    }
    timer_arm_at(notice->timer, 0);
}

static void say(const struct netwatch_news *news)
{
    log_event(LOG_LEVEL_INFO, "network-changed", NULL, "%s",
              news->changes & NETWATCH_RESUMED     ? "this machine was suspended"
              : news->changes & NETWATCH_CLOCK     ? "the clock was set"
              : news->changes & NETWATCH_ADDRESSES ? "this machine has other addresses"
                                                   : "the way to the internet is another one");
}

static void on_report(void *context, const struct netwatch_news *news)
{
    struct notice *notice = context;
    if (notice->runtime->stopping)
        return;
    say(news);
    notice->changed_ms = loop_wall(notice->runtime->loop);
    judge_links(notice, news);
    if (news->changes == NETWATCH_CLOCK)
        return;
    portmap_network_changed(notice->portmap);
    roster_each (peer, notice->roster)
        peer_network_changed(peer);
}

/* The router lets in others than before: peers are to know. */
static void on_other_ports(void *context)
{
    struct notice *notice = context;
    list_for_each (node, &notice->links->established)
        container_of(node, struct link, node)->untold = true;
    timer_arm_at(notice->timer, 0);
}

int notice_init(struct notice *notice, struct runtime *runtime, struct links *links,
                struct roster *roster, const struct tell *tell, struct portmap *portmap,
                struct netwatch *netwatch)
{
    *notice = (struct notice){.runtime = runtime,
                              .links = links,
                              .roster = roster,
                              .tell = tell,
                              .portmap = portmap,
                              .netwatch = netwatch};
    portmap_on_change(portmap, on_other_ports, notice);
    int r = timer_new(&notice->timer, runtime->loop, on_step, notice);
    if (r == 0 && netwatch != NULL)
        netwatch_start(netwatch, on_report, notice);
    return r;
}

const char *notice_flaw(const struct notice *notice)
{
    return notice->netwatch == NULL ? "nobody watches" : netwatch_flaw(notice->netwatch);
}

void notice_deinit(struct notice *notice)
{
    timer_free(notice->timer);
}
