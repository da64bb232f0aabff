/* SPDX-License-Identifier: ISC */
/*
 * What happens on a link goes to the module that answers it.
 */
#define LOG_COMPONENT "node"
#include "core/link_events.h"

#include "base/log.h"

static bool on_greeted(void *context, struct link *link)
{
    const struct link_answers *answers = context;
    return limits_hello(answers->limits, stream_origin(link->stream),
                        loop_now(answers->runtime->loop));
}

/* What an item or an acknowledgement came to: a full disk costs the link, a failed one the node. */
static void check_delivery(const struct link_answers *answers, struct link *link, int outcome)
{
    if (outcome == NODE_DISK_FULL)
        link_close(link, CLOSE_INTERNAL_ERROR);
    else if (outcome < 0)
        runtime_fail(answers->runtime, outcome);
}

/* A full disk undoes the turn anyway. */
static void check_store(const struct link_answers *answers, int outcome)
{
    if (outcome < 0)
        runtime_fail(answers->runtime, outcome);
}

static void on_pong(const struct link_answers *answers, struct peer *peer, uint64_t sent_ms)
{
    uint64_t now = loop_now(answers->runtime->loop);
    if (sent_ms == 0 || sent_ms > now)
        return; /* a probe whose answer is all that matters */
    peer->rtt_ms = now - sent_ms;
    answers->runtime->observer->pong(answers->runtime->observer_context, peer);
}

/* Whether what is nice to know may be stored: on a full disk that undoes the turn of everybody. */
static bool has_room(const struct link_answers *answers)
{
    return housekeeping_has_room(answers->delivery->housekeeping);
}

static void on_opened(const struct link_answers *answers, struct link *link)
{
    struct peer *peer = link->peer;
    log_event(LOG_LEVEL_INFO, "peer-online", peer->row.name, "online");
    peer->kept_out_ms = 0;
    check_store(answers, peer_link_open(peer));
    delivery_start(peer);
    streams_session_up(answers->streams, peer, link);
    tell_link(answers->tell, link);
    check_store(answers,
                roster_note_features(answers->roster, peer, session_peer_features(link->session),
                                     has_room(answers)));
}

static void on_event(void *context, struct link *link, const struct session_event *event)
{
    const struct link_answers *answers = context;
    switch (event->type) {
    case SESSION_IDENTIFIED:
        admission_identified(answers->admission, link);
        break;
    case SESSION_CONFIRMED:
        admission_confirmed(answers->admission, link);
        if (link->state != LINK_ACTIVE || !link->establish_due)
            check_store(answers, clones_rival(answers->clones, link));
        break;
    case SESSION_OPENED:
        on_opened(answers, link);
        break;
    case SESSION_ITEM:
        check_delivery(answers, link, delivery_receive(answers->delivery, link, event));
        break;
    case SESSION_ACKED:
        check_delivery(answers, link, delivery_acknowledged(answers->delivery, link->peer, event));
        break;
    case SESSION_PONG:
        link->rival_answered = link->rival_ms != 0;
        if (link->peer != NULL)
            on_pong(answers, link->peer, event->token);
        break;
    case SESSION_REKEYED:
        log_debug("new keys, epoch %u", event->epoch);
        if (link->peer != NULL)
            streams_rekeyed(answers->streams, link->peer);
        break;
    case SESSION_LANE:
        streams_lane_record(answers->streams, link->peer, event->lane);
        break;
    case SESSION_TOLD:
        if (has_room(answers))
            check_store(answers, tell_hear(answers->tell, link->peer, event->told));
        break;
    case SESSION_INSTANCE:
        check_store(answers, clones_hear(answers->clones, link, event->instance.data));
        break;
    case SESSION_CLONED:
        check_store(answers, clones_told(answers->clones, link->peer, event->instance.data));
        break;
    case SESSION_NOTHING:
    case SESSION_ENDED:
        break;
    }
}

/* What an end says of who else has a key of ours. */
static void look_for_clones(const struct link_answers *answers, struct link *link,
                            const struct link_end *end)
{
    if (end->coded && end->code == CLOSE_SELF)
        check_store(answers, clones_met_own_key(answers->clones, link));
    if (link->peer == NULL || peer_round_of(link->peer, link) == NULL)
        return;
    if (end->coded && end->by_peer && end->code == CLOSE_DUPLICATE)
        check_store(answers, clones_kept_out(answers->clones, link->peer));
    else
        link->peer->kept_out_ms = 0;
}

static void on_ended(void *context, struct link *link, const struct link_end *end)
{
    const struct link_answers *answers = context;
    struct peer *peer = link->peer;
    char text[PEER_ERROR_MAX];
    pending_keys_forget_link(answers->pending_keys, link);
    look_for_clones(answers, link, end);
    link_end_text(end, text, sizeof text);
    if (peer != NULL && peer->link == link)
        log_event(LOG_LEVEL_INFO, "peer-offline", peer->row.name, "offline: %s", text);
    else
        log_debug("link from or to %s ended: %s", stream_origin(link->stream)->text, text);
    if (peer == NULL)
        return;
    former_note(&peer->former, session_tag(link->session), loop_now(answers->runtime->loop));
    struct round *round = peer_round_of(peer, link);
    if (round != NULL) {
        round_attempt_ended(round, end);
    } else if (peer->link == link) {
        streams_session_down(answers->streams, peer, end);
        delivery_end(answers->delivery, peer, end);
        peer_link_down(peer, end);
    }
}

const struct link_events core_link_events = {on_greeted, on_event, on_ended};
