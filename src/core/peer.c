/* SPDX-License-Identifier: ISC */
/*
 * One known peer: dialling and its states.
 */
#define LOG_COMPONENT "peer"
#include "core/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "core/ways.h"
#include "crypto/random.h"
#include "net/local_address.h"
#include "store/queue.h"

static void on_timer(void *context)
{
    peer_dial(context);
}

int peer_new(struct peer **peer, const struct runtime *runtime, struct links *links,
             const struct peer_row *row)
{
    struct peer *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    made->runtime = runtime;
    made->links = links;
    made->row = *row;
    made->last = row->last;
    made->since_ms = loop_wall(runtime->loop);
    made->rtt_ms = UINT64_MAX;
    list_init(&made->node);
    list_init(&made->stirred);
    list_init(&made->full);
    hash_node_init(&made->by_key);
    hash_node_init(&made->by_name);
    hash_node_init(&made->by_id);
    bucket_init(&made->keys, LIMITS_PEER_KEYS_PER_S, LIMITS_PEER_KEYS_BURST,
                loop_now(runtime->loop));
    int r = timer_new(&made->timer, runtime->loop, on_timer, made);
    if (r < 0) {
        peer_free(made);
        return r;
    }
    *peer = made;
    return 0;
}

void peer_free(struct peer *peer)
{
    if (peer == NULL)
        return;
    list_remove(&peer->node);
    list_remove(&peer->stirred);
    list_remove(&peer->full);
    for (unsigned i = 0; i < REDIAL_CLASSES; i++)
        round_free(peer->rounds[i]);
    attempts_clear(&peer->attempts);
    timer_free(peer->timer);
    former_wipe(&peer->former);
    hearsay_deinit(&peer->hearsay);
    free(peer);
}

const char *peer_state_name(enum peer_state state)
{
    switch (state) {
    case PEER_OFFLINE:
        return "offline";
    case PEER_CONNECTING:
        return "connecting";
    case PEER_HANDSHAKE:
    case PEER_WAITING:
        return "handshake";
    case PEER_ONLINE:
        return "online";
    case PEER_BACKOFF:
        return "backoff";
    }
    return "offline";
}

enum peer_trust peer_trust(const struct peer *peer)
{
    return peer->row.offered && peer->row.trust != PEER_BLOCKED ? PEER_CHANGED : peer->row.trust;
}

bool peer_trusted(const struct peer *peer)
{
    enum peer_trust trust = peer_trust(peer);
    return trust == PEER_TOFU || trust == PEER_VERIFIED;
}

void peer_stir(struct peer *peer)
{
    if (list_empty(&peer->stirred))
        list_append(peer->runtime->stirred, &peer->stirred);
}

void peer_touch_queue(struct peer *peer)
{
    peer->giving_due = true;
    peer_stir(peer);
    loop_wake(peer->runtime->loop);
}

static void set_state(struct peer *peer, enum peer_state state)
{
    if (peer->state == state)
        return;
    log_debug("%s: %s -> %s", peer->row.name, peer_state_name(peer->state), peer_state_name(state));
    peer->since_ms = loop_wall(peer->runtime->loop);
    if (peer->state == PEER_ONLINE)
        peer->seen_ms = peer->since_ms;
    peer->state = state;
    peer_stir(peer);
}

static void set_error(struct peer *peer, const char *text)
{
    snprintf(peer->last_error, sizeof peer->last_error, "%s", text);
    peer->error_ms = loop_wall(peer->runtime->loop);
}

void peer_forget_attempts(struct peer *peer)
{
    attempts_clear(&peer->attempts);
    peer->failed_dials = 0;
}

static void tell_unreached(const struct peer *peer)
{
    peer->runtime->observer->unreached(peer->runtime->observer_context, peer);
}

/* --- the decision to dial --------------------------------------------------------------------- */

static bool has_queue(const struct peer *peer)
{
    struct messages_size size;
    return queue_size(peer->runtime->db, peer->row.id, &size) == 0 && size.messages > 0;
}

/* Whether its key is known, and is the smaller one: then it dials first. */
static bool yields(const struct peer *peer)
{
    const struct fingerprint *own = runtime_fingerprint(peer->runtime);
    return peer->row.pinned && memcmp(own->bytes, peer->row.key, PEER_KEY_SIZE) > 0;
}

static enum redial_class class_of(const struct link *link)
{
    return session_indirect(link->session) ? REDIAL_INDIRECT : REDIAL_DIRECT;
}

static enum redial_link linked(const struct peer *peer)
{
    if (peer->link == NULL)
        return REDIAL_UNLINKED;
    return class_of(peer->link) == REDIAL_DIRECT ? REDIAL_LINKED_DIRECT : REDIAL_LINKED_INDIRECT;
}

/* Whether a link of this class would be none too many. */
static bool wants(const struct peer *peer, enum redial_class class)
{
    return peer->link == NULL || class_of(peer->link) < class;
}

static struct redial_facts facts_of(const struct peer *peer)
{
    struct redial_facts facts = {
        .now_ms = loop_now(peer->runtime->loop),
        .may = !peer->runtime->stopping && !peer->silenced && peer->row.trust != PEER_BLOCKED,
        .cloned = runtime_cloned(peer->runtime, peer->runtime->cloned_ms),
        .yields = yields(peer),
        .ways[REDIAL_DIRECT] = peer->row.address_count + peer->hearsay.count,
        .link = linked(peer),
        .link_ms = peer->link_ms,
    };
    for (unsigned i = 0; i < REDIAL_CLASSES; i++)
        facts.round_ms[i] = peer->rounds[i] != NULL ? round_since(peer->rounds[i]) : 0;
    return facts;
}

static void note(struct peer *peer, enum redial_event event, enum redial_class class)
{
    struct redial_facts facts = facts_of(peer);
    facts.random = random_u32();
    facts.has_queue = has_queue(peer);
    redial_note(&peer->redial, &facts, event, class);
}

static struct redial_plan decide(const struct peer *peer)
{
    struct redial_facts facts = facts_of(peer);
    return redial_decide(&peer->redial, &facts);
}

/* --- rounds ----------------------------------------------------------------------------------- */

static void on_greet(const struct peer *peer, const struct address *way,
                     struct round_greeting *greeting)
{
    const struct peer_row *row = &peer->row;
    greeting->invite_secret = row->invited ? row->invite_secret : NULL;
    greeting->given = address_listed(row->addresses, row->address_count, way);
    former_list(&peer->former, loop_now(peer->runtime->loop), &greeting->gone);
}

static void on_joined(struct peer *peer)
{
    if (peer->link == NULL)
        set_state(peer, PEER_HANDSHAKE);
}

static void on_way_failed(struct peer *peer, const struct address *way, enum attempt_end outcome,
                          const char *error)
{
    char address[ADDRESS_TEXT_MAX], text[PEER_ERROR_MAX];
    struct attempt attempt = {
        .address = *way, .outcome = outcome, .time_ms = loop_wall(peer->runtime->loop)};
    snprintf(attempt.error, sizeof attempt.error, "%s", error);
    attempts_note(&peer->attempts, &attempt);
    hearsay_failed(&peer->hearsay, way);
    address_format(way, address);
    snprintf(text, sizeof text, "%s: %s", address, error);
    if (peer->link == NULL)
        set_error(peer, text);
    peer->failed_dials++;
    log_info("%s: dial failed: %s", peer->row.name, text);
}

static void on_round_over(struct peer *peer, struct round *round, enum redial_event event)
{
    enum redial_class class =
        round == peer->rounds[REDIAL_DIRECT] ? REDIAL_DIRECT : REDIAL_INDIRECT;
    round_free(STEAL(peer->rounds[class]));
    if (wants(peer, class))
        note(peer, event, class); /* else the peer called us meanwhile: nothing is lost */
    peer_dial(peer);
    if (peer->link == NULL && event != REDIAL_DUPLICATE)
        tell_unreached(peer);
}

static const struct round_events round_events = {on_greet, on_joined, on_way_failed, on_round_over};

static enum dial_priority choose_priority(const struct peer *peer)
{
    return has_queue(peer) ? DIAL_AWAITED : peer->redial.online_ms != 0 ? DIAL_RECENT : DIAL_OTHER;
}

static void start_round(struct peer *peer, enum redial_class class)
{
    struct address ways[DIAL_WAYS_MAX], told[TOLD_MAX];
    const struct ways_facts facts = {
        .told = told,
        .told_count = hearsay_next_round(&peer->hearsay, loop_wall(peer->runtime->loop), told),
        .last = peer->last.host[0] != '\0' ? &peer->last : NULL,
        .given = peer->row.addresses,
        .given_count = peer->row.address_count,
        .ipv6 = local_address_has_ipv6(),
    };
    const struct round_parts parts = {
        .runtime = peer->runtime,
        .links = peer->links,
        .peer = peer,
        .priority = choose_priority(peer),
        .ways = ways,
        .way_count = ways_order(&facts, ways),
        .events = &round_events,
    };
    int r = round_start(&peer->rounds[class], &parts);
    if (r < 0) {
        set_error(peer, strerror(-r));
        note(peer, REDIAL_FAILED, class);
    }
}

struct round *peer_round_of(const struct peer *peer, const struct link *link)
{
    for (unsigned i = 0; i < REDIAL_CLASSES; i++)
        if (peer->rounds[i] != NULL && round_attempt(peer->rounds[i]) == link)
            return peer->rounds[i];
    return NULL;
}

/* What people see of a peer without a session. */
static enum peer_state dialling_state(const struct peer *peer, const struct redial_plan *plan)
{
    enum peer_state state = plan->at_ms != UINT64_MAX ? PEER_BACKOFF : PEER_OFFLINE;
    for (unsigned i = 0; i < REDIAL_CLASSES; i++) {
        if (peer->rounds[i] == NULL)
            continue;
        if (round_attempt(peer->rounds[i]) != NULL)
            return PEER_HANDSHAKE;
        state = PEER_CONNECTING;
    }
    return state;
}

void peer_dial(struct peer *peer)
{
    struct redial_plan plan = decide(peer);
    for (unsigned i = 0; i < REDIAL_CLASSES; i++)
        if (plan.now[i])
            start_round(peer, i);
    plan = decide(peer);
    timer_arm_at(peer->timer, plan.at_ms);
    if (plan.at_ms != UINT64_MAX)
        peer->next_dial_ms =
            loop_wall(peer->runtime->loop) + plan.at_ms - loop_now(peer->runtime->loop);
    if (peer->link == NULL)
        set_state(peer, dialling_state(peer, &plan));
}

void peer_dial_at_once(struct peer *peer)
{
    peer_stop_dialling(peer);
    note(peer, REDIAL_ASKED, REDIAL_DIRECT);
    peer_dial(peer);
}

void peer_start(struct peer *peer)
{
    note(peer, REDIAL_START, REDIAL_DIRECT);
    peer_dial(peer);
}

void peer_urge(struct peer *peer)
{
    if (peer->state != PEER_BACKOFF)
        return;
    note(peer, REDIAL_URGED, REDIAL_DIRECT);
    peer_dial(peer);
}

void peer_network_changed(struct peer *peer)
{
    if (!wants(peer, REDIAL_DIRECT))
        return;
    for (unsigned i = 0; i < REDIAL_CLASSES; i++)
        if (peer->rounds[i] != NULL && round_attempt(peer->rounds[i]) == NULL)
            round_free(STEAL(peer->rounds[i]));
    note(peer, REDIAL_NETWORK, REDIAL_DIRECT);
    peer_dial(peer);
}

/* Gives up a round, and the handshake that it has come to. */
static void end_round(struct peer *peer, enum redial_class class)
{
    struct round *round = STEAL(peer->rounds[class]);
    struct link *attempt = round != NULL ? round_attempt(round) : NULL;
    round_free(round);
    if (attempt == NULL)
        return;
    link_close(attempt, CLOSE_NORMAL);
    attempt->peer = NULL;
}

void peer_stop_dialling(struct peer *peer)
{
    for (unsigned i = 0; i < REDIAL_CLASSES; i++)
        end_round(peer, i);
    timer_disarm(peer->timer);
    if (peer->link == NULL)
        set_state(peer, PEER_OFFLINE);
}

void peer_take_attempt(struct peer *peer, struct peer *other)
{
    peer->silenced = false;
    for (unsigned i = 0; i < REDIAL_CLASSES; i++) {
        if (other->rounds[i] == NULL)
            continue;
        round_free(peer->rounds[i]);
        peer->rounds[i] = STEAL(other->rounds[i]);
        round_move(peer->rounds[i], peer);
    }
    if (peer->link == NULL)
        set_state(peer, PEER_HANDSHAKE);
}

void peer_note_shown(struct peer *peer)
{
    peer->seen_otherwise |= (peer->state == PEER_ONLINE) != peer->seen_online;
    if (peer->seen_otherwise)
        peer_stir(peer);
}

/* --- its link --------------------------------------------------------------------------------- */

/*
 * Nothing more is dialled of the link's class, or of a worse one; a handshake that goes on comes
 * under the rule for two links, unless nothing can come of it any more.
 */
static void settle_rounds(struct peer *peer)
{
    bool stays = links_stays(peer->link, runtime_fingerprint(peer->runtime));
    for (unsigned i = 0; i <= class_of(peer->link); i++)
        if (peer->rounds[i] != NULL && (!round_settle(peer->rounds[i], peer->link) || stays))
            end_round(peer, i);
    timer_disarm(peer->timer);
}

void peer_link_up(struct peer *peer, struct link *link)
{
    peer->link = link;
    peer->link_ms = loop_now(peer->runtime->loop);
    link->peer = peer;
    settle_rounds(peer);
    set_state(peer, PEER_WAITING);
}

void peer_link_waits(struct peer *peer)
{
    set_error(peer, "it has yet to let us in");
    tell_unreached(peer);
}

/* Remembered even if it cannot be stored: then the next session does not try to. */
static int set_last(struct peer *peer, const struct address *last)
{
    peer->last = last != NULL ? *last : (struct address){0};
    return peers_set_last(peer->runtime->db, peer->row.id, last, loop_wall(peer->runtime->loop));
}

static int note_way(struct peer *peer, const char *text)
{
    struct address way;
    if (address_parse(text, &way) != 0 || address_equal(&way, &peer->last))
        return 0;
    return set_last(peer, &way);
}

int peer_forget_way(struct peer *peer)
{
    return peer->last.host[0] != '\0' ? set_last(peer, NULL) : 0;
}

int peer_link_open(struct peer *peer)
{
    bool dialled = session_role(peer->link->session) == SESSION_JOINER;
    peer->last_error[0] = '\0';
    peer_forget_attempts(peer);
    int r = dialled ? note_way(peer, stream_origin(peer->link->stream)->text) : 0;
    note(peer, REDIAL_OPENED, class_of(peer->link));
    set_state(peer, PEER_ONLINE);
    peer_dial(peer); /* a better way, if there may be one */
    return r;
}

void peer_link_down(struct peer *peer, const struct link_end *end)
{
    char text[PEER_ERROR_MAX];
    enum redial_class class = class_of(peer->link);
    enum redial_event event = round_event_of(end);
    if (event == REDIAL_FAILED && peer->state == PEER_ONLINE)
        event = peer_full(peer) && end->coded && !end->by_peer ? REDIAL_REFUSED : REDIAL_LOST;
    if (!end->coded || end->code != CLOSE_NORMAL)
        set_error(peer, link_end_text(end, text, sizeof text));
    peer->link = NULL;
    note(peer, event, class);
    peer_dial(peer);
}
