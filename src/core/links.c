/* SPDX-License-Identifier: ISC */
/*
 * All links: their bounds, and one per identity.
 */
#define LOG_COMPONENT "links"
#include "core/links.h"

#include <string.h>

#include "base/log.h"
#include "crypto/random.h"
#include "proto/features.h"

void links_init(struct links *links, const struct runtime *runtime,
                const struct link_events *events, void *context)
{
    *links = (struct links){.runtime = runtime, .events = events, .context = context};
    list_init(&links->strangers);
    list_init(&links->established);
}

static void free_all(struct list *list)
{
    list_for_each_safe (node, list)
        link_free(container_of(node, struct link, node));
}

void links_deinit(struct links *links)
{
    free_all(&links->strangers);
    free_all(&links->established);
}

static bool is_incoming(const struct link *link)
{
    return session_role(link->session) == SESSION_HOST;
}

/* Of the incoming strangers that had their chance, one at random; NULL if there is none. */
static struct link *choose_victim(const struct links *links, uint64_t now_ms)
{
    struct link *victim = NULL;
    uint32_t seen = 0;
    list_for_each (node, &links->strangers) {
        struct link *link = container_of(node, struct link, node);
        if (!is_incoming(link) || link->state == LINK_DEAD ||
            now_ms - link->started_ms < LIMITS_EVICTABLE_AGE_MS)
            continue;
        seen++;
        if (random_u32() % seen == 0)
            victim = link;
    }
    return victim;
}

bool links_admit_stranger(struct links *links, const struct origin *origin, unsigned elsewhere,
                          unsigned from_there, uint64_t now_ms)
{
    unsigned total = elsewhere;
    list_for_each (node, &links->strangers) {
        const struct link *link = container_of(node, struct link, node);
        if (!is_incoming(link) || link->state == LINK_DEAD)
            continue;
        total++;
        from_there += memcmp(stream_origin(link->stream)->key, origin->key, ORIGIN_KEY_SIZE) == 0;
    }
    if (from_there >= LIMITS_PER_ORIGIN_MAX)
        return false;
    if (total < LIMITS_STRANGERS_MAX)
        return true;
    struct link *victim = choose_victim(links, now_ms);
    if (victim == NULL)
        return false;
    link_drop(victim, "made room for a newer connection");
    return true;
}

static int start(struct links *links, struct stream *stream,
                 const struct session_settings *settings, struct link **link)
{
    int r = link_new(link, links->runtime->loop, links->runtime->turn, stream, settings,
                     links->events, links->context);
    if (r == 0)
        list_append(&links->strangers, &(*link)->node);
    return r;
}

/* Of the suites that this machine can speak; 0 for all. */
static unsigned allowed_suites(const struct links *links)
{
    return links->runtime->settings.require_pq ? SUITE_BIT(SUITE_HYBRID) : 0;
}

/* What we offer to do. */
static uint32_t features(const struct links *links)
{
    return FEATURE_HEADERS | FEATURE_CALLS | FEATURE_REACH |
           (links->runtime->settings.streams ? FEATURE_STREAMS : 0) |
           (links->files && links->runtime->settings.streams ? FEATURE_FILES : 0);
}

int links_host(struct links *links, struct stream *stream)
{
    const struct session_settings settings = {.role = SESSION_HOST,
                                              .self = links->runtime->self,
                                              .suites = allowed_suites(links),
                                              .features = features(links),
                                              .instance = links->runtime->instance};
    struct link *link;
    return start(links, stream, &settings, &link);
}

int links_join(struct links *links, struct stream *stream, struct peer *peer,
               const uint8_t *invite_secret, const struct gone *gone, struct link **link)
{
    const struct session_settings settings = {.role = SESSION_JOINER,
                                              .self = links->runtime->self,
                                              .suites = allowed_suites(links),
                                              .features = features(links),
                                              .instance = links->runtime->instance,
                                              .invite_secret = invite_secret,
                                              .gone = gone};
    int r = start(links, stream, &settings, link);
    if (r == 0)
        (*link)->peer = peer;
    return r;
}

struct link *links_find(const struct links *links, const struct fingerprint *fingerprint)
{
    list_for_each (node, &links->established) {
        struct link *link = container_of(node, struct link, node);
        if (link->state == LINK_ACTIVE && fingerprint_equal(link_fingerprint(link), fingerprint))
            return link;
    }
    return NULL;
}

/* Whether the joiner of this link has the smaller fingerprint of the two. */
static bool is_preferred(const struct link *link, const struct fingerprint *own)
{
    bool own_is_smaller = fingerprint_compare(own, link_fingerprint(link)) < 0;
    return own_is_smaller == (session_role(link->session) == SESSION_JOINER);
}

bool links_stays(const struct link *link, const struct fingerprint *own)
{
    return session_approved_at_once(link->session) && !session_indirect(link->session) &&
           is_preferred(link, own);
}

/* The rule, as links.h has it. tests/models/reach.pml searches it. */
static bool displaces(const struct link *link, const struct link *old,
                      const struct fingerprint *own)
{
    if (session_says_gone(link->session, old->session))
        return true;
    if (session_approved_at_once(link->session) != session_approved_at_once(old->session))
        return session_approved_at_once(link->session);
    if (session_indirect(link->session) != session_indirect(old->session))
        return session_indirect(old->session);
    return session_role(old->session) == session_role(link->session) || is_preferred(link, own);
}

bool links_resolve(struct links *links, struct link *link, const struct fingerprint *own,
                   uint64_t now_ms)
{
    struct link *old = links_find(links, link_fingerprint(link));
    if (old == NULL)
        return true;
    if (displaces(link, old, own)) {
        link_close(old, CLOSE_REPLACED);
        return true;
    }
    if (old->rival_ms == 0)
        old->rival_ms = now_ms;
    session_ping(old->session, 0, now_ms);
    link_touch(old);
    return false;
}

void links_establish(struct links *links, struct link *link)
{
    list_remove(&link->node);
    list_append(&links->established, &link->node);
    link->counted = true;
    links->established_count++;
}

void links_go_on(struct links *links)
{
    struct list *behind = &links->runtime->turn->behind;
    struct list late = LIST_INIT(late); /* those that are behind again come in the next turn */
    list_move_all(behind, &late);
    while (!list_empty(&late))
        link_go_on(container_of(late.next, struct link, behind));
}

static void reap(struct links *links, struct link *link)
{
    links->established_count -= link->counted;
    link_free(link);
}

/* What a flush touches again is for the next turn, but for what is dead by then. */
void links_turn_end(struct links *links)
{
    struct list *touched = &links->runtime->turn->touched;
    struct list now = LIST_INIT(now);
    list_move_all(touched, &now);
    while (!list_empty(&now)) {
        struct link *link = container_of(now.next, struct link, touched);
        list_remove(&link->touched);
        if (link->dirty)
            link_flush(link);
        if (link->state == LINK_DEAD && list_empty(&link->touched))
            list_append(touched, &link->touched);
    }
    list_for_each_safe (node, touched) {
        struct link *link = container_of(node, struct link, touched);
        if (link->state == LINK_DEAD)
            reap(links, link);
    }
}

static void abandon_in(struct list *list, const struct peer *peer, enum close_code code)
{
    list_for_each_safe (node, list) {
        struct link *link = container_of(node, struct link, node);
        if (link->peer != peer)
            continue;
        link_close(link, code);
        link->peer = NULL;
    }
}

void links_abandon_peer(struct links *links, const struct peer *peer, enum close_code code)
{
    abandon_in(&links->strangers, peer, code);
    abandon_in(&links->established, peer, code);
}

void links_renew_declined(struct links *links)
{
    list_for_each_safe (node, &links->established) {
        struct link *link = container_of(node, struct link, node);
        if (link->declined)
            link_close(link, CLOSE_GOING_AWAY);
    }
}

static void close_list(struct list *list, enum close_code code)
{
    list_for_each_safe (node, list)
        link_close(container_of(node, struct link, node), code);
}

void links_close_all(struct links *links, enum close_code code)
{
    close_list(&links->strangers, code);
    close_list(&links->established, code);
}

bool links_empty(const struct links *links)
{
    return list_empty(&links->strangers) && list_empty(&links->established);
}
