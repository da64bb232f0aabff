/* SPDX-License-Identifier: ISC */
/*
 * Keys that two machines use.
 */
#define LOG_COMPONENT "clones"
#include "core/clones.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/shell.h"
#include "store/events.h"

static const uint8_t unknown[INSTANCE_SIZE];

enum clones_verdict clones_judge(const struct peer_row *row,
                                 const uint8_t instance[static INSTANCE_SIZE])
{
    if (memcmp(row->instance, instance, INSTANCE_SIZE) == 0)
        return CLONES_SAME;
    if (memcmp(row->instance_before, instance, INSTANCE_SIZE) == 0)
        return CLONES_BACK;
    if (memcmp(row->instance, unknown, INSTANCE_SIZE) == 0)
        return CLONES_RENEWED;
    return memcmp(row->instance, instance, INSTANCE_STORE_PART) == 0 ? CLONES_RENEWED
                                                                     : CLONES_MOVED;
}

static bool has_room(const struct clones *clones)
{
    return housekeeping_has_room(clones->housekeeping);
}

static int add_event(const struct clones *clones, const struct peer *peer, enum event_type type)
{
    struct event_row event = {.type = type,
                              .time_ms = loop_wall(clones->runtime->loop),
                              .peer = peer->row.id,
                              .trust = peer_trust(peer)};
    return has_room(clones) ? events_add(clones->runtime->db, &event) : 0;
}

/* Notes a sign. Whether people don't know of it yet. */
static bool is_news(const struct clones *clones, uint64_t *sign_ms)
{
    const uint64_t now_ms = loop_wall(clones->runtime->loop);
    const bool news = *sign_ms == 0 || now_ms < *sign_ms || now_ms - *sign_ms > CLONES_REPEAT_MS;
    *sign_ms = now_ms;
    return news;
}

/* --- a peer's key ----------------------------------------------------------------------------- */

static int warn_of_peer(struct clones *clones, struct peer *peer)
{
    if (!is_news(clones, &peer->cloned_ms))
        return 0;
    log_event(LOG_LEVEL_WARNING, "peer-cloned", peer->row.name,
              "two machines use this peer's key, and messages reach one or the other: ask its "
              "owner whether its disk or state directory was copied; if not, its key was stolen: "
              "p2pchatctl peer block %s",
              shell_word(peer->row.name).text);
    return add_event(clones, peer, EVENT_PEER_CLONED);
}

static int note_move(const struct clones *clones, const struct peer *peer)
{
    log_event(LOG_LEVEL_NOTICE, "peer-moved", peer->row.name,
              "it runs with another state directory now: it was moved, restored or copied");
    return add_event(clones, peer, EVENT_PEER_MOVED);
}

/* The last one becomes the one before. A disk without room forgets it with the process. */
static int remember(const struct clones *clones, struct peer *peer,
                    const uint8_t instance[static INSTANCE_SIZE])
{
    struct peer_row row = peer->row;
    memcpy(row.instance_before, row.instance, INSTANCE_SIZE);
    memcpy(row.instance, instance, INSTANCE_SIZE);
    int r = has_room(clones) ? peers_set_instances(clones->runtime->db, &row) : 0;
    if (r != 0)
        return r;
    memcpy(peer->row.instance_before, row.instance_before, INSTANCE_SIZE);
    memcpy(peer->row.instance, row.instance, INSTANCE_SIZE);
    return 0;
}

int clones_hear(struct clones *clones, struct link *link,
                const uint8_t instance[static INSTANCE_SIZE])
{
    struct peer *peer = link->peer;
    const enum clones_verdict verdict = clones_judge(&peer->row, instance);
    int r = verdict != CLONES_SAME ? remember(clones, peer, instance) : 0;
    if (r != 0 || verdict == CLONES_SAME || verdict == CLONES_RENEWED)
        return r;
    if (verdict == CLONES_MOVED)
        return note_move(clones, peer);
    session_tell_cloned(link->session, peer->row.instance, peer->row.instance_before);
    link_touch(link);
    return warn_of_peer(clones, peer);
}

int clones_rival(struct clones *clones, const struct link *loser)
{
    struct link *kept = links_find(clones->links, link_fingerprint(loser));
    if (kept == NULL || kept == loser || kept->peer == NULL || !link_open(kept) ||
        !kept->rival_answered || loop_now(clones->runtime->loop) - kept->rival_ms < CLONES_RIVAL_MS)
        return 0;
    kept->rival_ms = 0; /* told; and again after the next while */
    kept->rival_answered = false;
    session_tell_cloned(kept->session, kept->peer->row.instance, unknown);
    link_touch(kept);
    return warn_of_peer(clones, kept->peer);
}

/* --- our own ---------------------------------------------------------------------------------- */

/* `peer` is who said so, or at whose address it was seen, or NULL. */
static int warn_of_us(struct clones *clones, const struct peer *peer, const char *what,
                      const char *source)
{
    snprintf(clones->source, sizeof clones->source, "%s", source);
    if (!is_news(clones, &clones->runtime->cloned_ms))
        return 0;
    log_event(LOG_LEVEL_WARNING, "identity-cloned", peer != NULL ? peer->row.name : NULL,
              "another machine uses this machine's key: %s %s; see \"A machine was copied\" in "
              "p2pchatd(8)",
              source, what);
    return peer != NULL ? add_event(clones, peer, EVENT_IDENTITY_CLONED) : 0;
}

int clones_told(struct clones *clones, const struct peer *peer,
                const uint8_t instance[static INSTANCE_SIZE])
{
    if (memcmp(instance, clones->runtime->instance, INSTANCE_SIZE) != 0)
        return 0;
    return warn_of_us(clones, peer, "is in touch with both", peer->row.name);
}

int clones_kept_out(struct clones *clones, struct peer *peer)
{
    const uint64_t now_ms = loop_now(clones->runtime->loop);
    if (peer->kept_out_ms == 0)
        peer->kept_out_ms = now_ms;
    if (peer->link != NULL || now_ms - peer->kept_out_ms < CLONES_KEPT_OUT_MS)
        return 0;
    return warn_of_us(clones, peer, "has a link with it, and keeps us out", peer->row.name);
}

static struct link *find_other_end(const struct list *list, const struct link *link)
{
    list_for_each (node, list) {
        struct link *other = container_of(node, struct link, node);
        if (session_other_end(other->session, link->session))
            return other;
    }
    return NULL;
}

int clones_met_own_key(struct clones *clones, struct link *link)
{
    struct link *other = find_other_end(&clones->links->strangers, link);
    link->is_own = other != NULL;
    if (other != NULL)
        other->is_own = true;
    if (other != NULL || !session_met_own_key(link->session))
        return 0;
    return warn_of_us(clones, link->peer, "has it, too", stream_origin(link->stream)->text);
}
