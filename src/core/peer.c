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
#include "crypto/random.h"
#include "store/messages.h"

enum {
    FIRST_DIAL_SPREAD_MS = 2000,
    RECENT_MS = 3600 * 1000,    /* a peer seen so lately is dialled often */
    DUPLICATE_WAIT_MS = 5000,   /* after losing to another link: this long, up to twice it */
    HANDSHAKE_FAILURES_MAX = 5, /* in a row, then HANDSHAKE_PAUSE_MS */
    HANDSHAKE_PAUSE_MS = 600 * 1000,
};

static const struct backoff_plan eager = {1000, 10 * 1000};
static const struct backoff_plan patient = {1000, 300 * 1000};
static const struct backoff_plan refused = {60 * 1000, 600 * 1000};

static void on_backoff_over(void *context)
{
    struct peer *peer = context;
    peer_dial(peer);
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
    made->since_ms = loop_wall(runtime->loop);
    made->rtt_ms = UINT64_MAX;
    list_init(&made->node);
    bucket_init(&made->keys, LIMITS_PEER_KEYS_PER_S, LIMITS_PEER_KEYS_BURST,
                loop_now(runtime->loop));
    inflight_init(&made->inflight);
    int r = timer_new(&made->timer, runtime->loop, on_backoff_over, made);
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
    dial_cancel(peer->dial);
    timer_free(peer->timer);
    inflight_deinit(&peer->inflight);
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

static void set_state(struct peer *peer, enum peer_state state)
{
    if (peer->state == state)
        return;
    log_debug("%s: %s -> %s", peer->row.name, peer_state_name(peer->state), peer_state_name(state));
    peer->state = state;
    peer->since_ms = loop_wall(peer->runtime->loop);
    if (state != PEER_BACKOFF)
        timer_disarm(peer->timer);
}

static void set_error(struct peer *peer, const char *text)
{
    snprintf(peer->last_error, sizeof peer->last_error, "%s", text);
    peer->error_ms = loop_wall(peer->runtime->loop);
}

void peer_forget_attempts(struct peer *peer)
{
    memset(peer->attempts, 0, sizeof peer->attempts);
    peer->failed_dials = 0;
}

/* What came of the dial of row.addresses[next_address]. */
static void set_attempt(struct peer *peer, enum peer_dialled outcome, const char *text)
{
    char address[ADDRESS_TEXT_MAX], error[PEER_ERROR_MAX];
    struct peer_attempt *attempt = &peer->attempts[peer->next_address];
    attempt->outcome = outcome;
    snprintf(attempt->error, sizeof attempt->error, "%s", text);
    address_format(&peer->row.addresses[peer->next_address], address);
    snprintf(error, sizeof error, "%s: %s", address, text);
    set_error(peer, error);
    attempt->time_ms = peer->error_ms;
    peer->failed_dials++;
    log_info("%s: dial failed: %s", peer->row.name, error);
}

/* Whether the peer should have a link and we may make it. */
static bool wants_dial(const struct peer *peer)
{
    return !peer->runtime->stopping && !peer->silenced && peer->row.address_count > 0 &&
           peer->row.trust != PEER_BLOCKED && peer->link == NULL && peer->attempt == NULL &&
           peer->dial == NULL;
}

static void wait_ms(struct peer *peer, uint32_t ms)
{
    set_state(peer, PEER_BACKOFF);
    peer->dial_at_ms = loop_now(peer->runtime->loop) + ms;
    peer->next_dial_ms = loop_wall(peer->runtime->loop) + ms;
    timer_arm_at(peer->timer, peer->dial_at_ms);
}

static bool has_queue(const struct peer *peer)
{
    struct messages_size size;
    return messages_queue_size(peer->runtime->db, peer->row.id, &size) == 0 && size.messages > 0;
}

static const struct backoff_plan *choose_plan(const struct peer *peer)
{
    uint64_t now = loop_now(peer->runtime->loop);
    if (peer->setback == PEER_REFUSED)
        return &refused;
    bool recent = peer->online_ms != 0 && now - peer->online_ms < RECENT_MS;
    return recent || has_queue(peer) ? &eager : &patient;
}

/* After a round over all addresses has failed. */
static void back_off(struct peer *peer)
{
    bool is_refused = peer->setback == PEER_REFUSED;
    if (is_refused != peer->waits_refused)
        backoff_reset(&peer->backoff); /* failures of one kind don't count for the other */
    peer->waits_refused = is_refused;
    if (peer->handshake_failures >= HANDSHAKE_FAILURES_MAX) {
        wait_ms(peer, HANDSHAKE_PAUSE_MS);
        return;
    }
    wait_ms(peer, backoff_next(&peer->backoff, choose_plan(peer), random_u32()));
}

static void tell_unreached(const struct peer *peer)
{
    peer->runtime->observer->unreached(peer->runtime->observer_context, peer);
}

static void try_next_address(struct peer *peer)
{
    if (peer->row.address_count == 0) { /* they were taken away meanwhile */
        set_state(peer, PEER_OFFLINE);
        return;
    }
    peer->next_address = (peer->next_address + 1) % peer->row.address_count;
    if (peer->next_address != 0) {
        peer_dial(peer);
        return;
    }
    back_off(peer);
    tell_unreached(peer);
}

static void on_dialled(void *context, struct stream *stream, const char *error)
{
    struct peer *peer = context;
    peer->dial = NULL;
    if (stream == NULL) {
        set_attempt(peer, PEER_UNREACHED, error);
        try_next_address(peer);
        return;
    }
    const uint8_t *invite_secret = peer->row.invited ? peer->row.invite_secret : NULL;
    int r = links_join(peer->links, stream, peer, invite_secret, &peer->attempt);
    if (r < 0) {
        set_error(peer, strerror(-r));
        back_off(peer);
        return;
    }
    set_state(peer, PEER_HANDSHAKE);
}

void peer_dial(struct peer *peer)
{
    if (!wants_dial(peer))
        return;
    if (peer->next_address >= peer->row.address_count)
        peer->next_address = 0;
    if (peer->next_address == 0)
        peer->setback = PEER_FAILED;
    set_state(peer, PEER_CONNECTING);
    int r = dial_start(&peer->dial, peer->runtime->loop, &peer->row.addresses[peer->next_address],
                       on_dialled, peer);
    if (r < 0) {
        set_error(peer, strerror(-r));
        back_off(peer);
    }
}

void peer_dial_at_once(struct peer *peer)
{
    peer_stop_dialling(peer);
    backoff_reset(&peer->backoff);
    peer->handshake_failures = 0;
    peer->next_address = 0;
    peer_dial(peer);
}

void peer_start(struct peer *peer)
{
    const struct fingerprint *own = runtime_fingerprint(peer->runtime);
    bool yields = peer->row.pinned && memcmp(own->bytes, peer->row.key, PEER_KEY_SIZE) > 0;
    if (yields && wants_dial(peer))
        wait_ms(peer, random_u32() % FIRST_DIAL_SPREAD_MS);
    else
        peer_dial(peer);
}

void peer_urge(struct peer *peer)
{
    bool may = peer->state == PEER_BACKOFF && peer->setback == PEER_FAILED &&
               peer->handshake_failures < HANDSHAKE_FAILURES_MAX;
    uint64_t soon = loop_now(peer->runtime->loop) + eager.limit_ms;
    if (may && peer->dial_at_ms > soon)
        peer_dial_at_once(peer);
}

static void end_attempt(struct peer *peer)
{
    struct link *attempt = STEAL(peer->attempt);
    if (attempt == NULL)
        return;
    attempt->peer = NULL; /* its end is no reason to dial the next address */
    link_close(attempt, CLOSE_NORMAL);
}

void peer_stop_dialling(struct peer *peer)
{
    dial_cancel(STEAL(peer->dial));
    end_attempt(peer);
    if (peer->link == NULL)
        set_state(peer, PEER_OFFLINE);
}

/*
 * What an ended link means for the next dial. What the other side says before it has proved who it
 * is may be a lie, so nothing of it ends the dialling for good.
 */
static void note_setback(struct peer *peer, const struct link_end *end)
{
    if (!end->coded || end->code != CLOSE_HANDSHAKE_FAILED)
        peer->handshake_failures = 0;
    if (!end->coded)
        return;
    if (end->code == CLOSE_HANDSHAKE_FAILED)
        peer->handshake_failures++;
    else if (end->code == CLOSE_REFUSED || end->code == CLOSE_APPROVAL_TIMEOUT ||
             end->code == CLOSE_UNSUPPORTED || end->code == CLOSE_SELF ||
             end->code == CLOSE_BAD_KEY)
        peer->setback = PEER_REFUSED;
}

static bool was_duplicate(const struct link_end *end)
{
    return end->coded && (end->code == CLOSE_DUPLICATE || end->code == CLOSE_REPLACED);
}

/* Why the link that we dialled came to nothing. */
static enum peer_dialled explain_attempt(const struct link *link, const struct link_end *end,
                                         char text[static PEER_ERROR_MAX])
{
    if (link->verdict == TRUST_ALARM || link->verdict == TRUST_ELSEWHERE) {
        char key[FINGERPRINT_TEXT_MAX];
        fingerprint_format(link_fingerprint(link), key);
        snprintf(text, PEER_ERROR_MAX, "another key answered: %s", key);
        return PEER_OTHER_KEY;
    }
    link_end_text(end, text, PEER_ERROR_MAX);
    bool by_policy = end->coded && end->by_peer && end->code == CLOSE_REFUSED;
    return by_policy ? PEER_REFUSED_US : PEER_UNREACHED;
}

void peer_attempt_failed(struct peer *peer, const struct link_end *end)
{
    char text[PEER_ERROR_MAX];
    enum peer_dialled outcome = explain_attempt(STEAL(peer->attempt), end, text);
    if (peer->link != NULL)
        return; /* the peer called us meanwhile: nothing is lost */
    note_setback(peer, end);
    if (was_duplicate(end)) {
        wait_ms(peer, DUPLICATE_WAIT_MS + random_u32() % DUPLICATE_WAIT_MS);
        return;
    }
    set_attempt(peer, outcome, text);
    try_next_address(peer);
}

void peer_take_attempt(struct peer *peer, struct peer *other)
{
    peer->silenced = false;
    peer->next_address = other->next_address;
    peer->attempt = STEAL(other->attempt);
    peer->attempt->peer = peer;
    if (peer->link == NULL)
        set_state(peer, PEER_HANDSHAKE);
}

void peer_note_shown(struct peer *peer)
{
    peer->seen_otherwise |= (peer->state == PEER_ONLINE) != peer->seen_online;
}

void peer_link_up(struct peer *peer, struct link *link)
{
    if (peer->attempt == link)
        peer->attempt = NULL;
    else if (links_stays(link, runtime_fingerprint(peer->runtime)))
        end_attempt(peer); /* nothing can come of it any more */
    dial_cancel(STEAL(peer->dial));
    peer->link = link;
    peer->handshake_failures = 0;
    peer->setback = PEER_FAILED;
    link->peer = peer;
    set_state(peer, PEER_WAITING);
}

void peer_link_waits(struct peer *peer)
{
    set_error(peer, "it has yet to let us in");
    tell_unreached(peer);
}

void peer_link_open(struct peer *peer)
{
    backoff_reset(&peer->backoff);
    peer->last_error[0] = '\0';
    peer_forget_attempts(peer);
    peer->online_ms = loop_now(peer->runtime->loop);
    set_state(peer, PEER_ONLINE);
}

void peer_link_down(struct peer *peer, const struct link_end *end)
{
    char text[PEER_ERROR_MAX];
    if (peer->state == PEER_ONLINE)
        peer->online_ms = loop_now(peer->runtime->loop);
    peer->link = NULL;
    note_setback(peer, end);
    if (!end->coded || end->code != CLOSE_NORMAL)
        set_error(peer, link_end_text(end, text, sizeof text));
    if (!wants_dial(peer))
        set_state(peer, peer->attempt != NULL ? PEER_HANDSHAKE
                        : peer->dial != NULL  ? PEER_CONNECTING
                                              : PEER_OFFLINE);
    else if (was_duplicate(end))
        wait_ms(peer, DUPLICATE_WAIT_MS + random_u32() % DUPLICATE_WAIT_MS);
    else
        back_off(peer);
}
