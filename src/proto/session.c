/* SPDX-License-Identifier: ISC */
/*
 * The life of a session and what its owner asks of it. Incoming bytes, outgoing packets and timers
 * are in session_input.c, session_output.c and session_timer.c.
 */
#define LOG_COMPONENT "session"
#include "proto/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "proto/features.h"
#include "proto/message.h"
#include "proto/session_state.h"

DEFINE_CLEANUP(struct session *, session_cleanup, session_free)

static const char *const phase_names[] = {
    [SESSION_HANDSHAKE] = "handshake",
    [SESSION_PENDING] = "pending",
    [SESSION_OPEN] = "open",
    [SESSION_CLOSED] = "closed",
};

int session_new(struct session **session, const struct session_settings *settings, uint64_t now_ms)
{
    CLEANUP(session_cleanup) struct session *made = calloc(1, sizeof *made);
    int r;
    if (made == NULL)
        return -ENOMEM;
    made->role = settings->role;
    made->phase = SESSION_HANDSHAKE;
    made->self = settings->self;
    made->features = settings->features;
    made->instance = settings->instance;
    made->started_ms = now_ms;
    batch_init(&made->batch);
    r = handshake_new(&made->handshake, settings, &made->ready);
    if (r == 0)
        *session = STEAL(made);
    return r;
}

void session_free(struct session *session)
{
    if (session == NULL)
        return;
    handshake_free(session->handshake);
    pubkey_free(session->peer);
    epoch_wipe(&session->epoch);
    secret_wipe(&session->tag, sizeof session->tag);
    bytes_deinit(&session->body);
    bytes_deinit(&session->answers);
    bytes_deinit(&session->lanes);
    bytes_deinit(&session->items);
    bytes_deinit(&session->ready);
    window_deinit(&session->window);
    free(session);
}

void session_enter(struct session *session, enum session_phase phase)
{
    log_debug("%s: %s -> %s", session->role == SESSION_JOINER ? "joiner" : "host",
              phase_names[session->phase], phase_names[phase]);
    session->phase = phase;
}

/* The handshake is over, well or badly; its keys are wiped. */
static void drop_handshake(struct session *session)
{
    if (session->handshake == NULL)
        return;
    const struct secret *tag = handshake_tag(session->handshake);
    if (tag != NULL) {
        session->tag = *tag;
        session->tagged = true;
    }
    session->met_own_key = handshake_met_own_key(session->handshake);
    const uint8_t *random = handshake_joiner_random(session->handshake);
    if (random != NULL) {
        memcpy(session->joiner_random, random, HELLO_RANDOM_SIZE);
        session->greeted = true;
    }
    session->peer = handshake_steal_peer(session->handshake);
    handshake_free(session->handshake);
    session->handshake = NULL;
}

void session_end(struct session *session, enum close_code code, bool by_peer, const char *detail)
{
    if (session->phase == SESSION_CLOSED)
        return;
    drop_handshake(session);
    epoch_wipe(&session->epoch);
    session->keyed = false;
    session->question = QUESTION_NONE;
    session->records = reader_of(SPAN(NULL, 0));
    session->event.type = SESSION_NOTHING;
    session->opened = false;
    bytes_deinit(&session->answers);
    bytes_deinit(&session->lanes);
    bytes_deinit(&session->items);
    session->end = (struct session_event){
        .type = SESSION_ENDED, .code = code, .by_peer = by_peer, .detail = detail};
    session_enter(session, SESSION_CLOSED);
}

void session_fail(struct session *session, enum close_code code, const char *detail)
{
    if (session->keyed)
        session_say_close(session, code);
    else if (session->handshake != NULL)
        handshake_alert(session->handshake, code, &session->ready);
    session_end(session, code, false, detail);
}

bool session_survives(struct session *session, int r)
{
    if (r < 0)
        session_fail(session, CLOSE_INTERNAL_ERROR, "no memory or no cryptography left");
    else if (r > 0)
        session_fail(session, (enum close_code)r, handshake_complaint(session->handshake));
    return r == 0;
}

int session_take_keys(struct session *session, uint64_t now_ms)
{
    struct epoch_secrets secrets;
    int r = handshake_finish(session->handshake, &session->ready, session->sid, &secrets);
    if (r == 0) {
        epoch_begin(&session->epoch, session->role, session->suite, &secrets, now_ms);
        session->keyed = true;
    }
    secret_wipe(&secrets, sizeof secrets);
    return r;
}

void session_open_if_approved(struct session *session)
{
    if (session->phase != SESSION_PENDING || !session->approved_here || !session->approved_there)
        return;
    session_enter(session, SESSION_OPEN);
    session->opened = true;
    if (session->instance != NULL)
        session_survives(session, record_append(&session->answers, RECORD_INSTANCE,
                                                SPAN(session->instance, INSTANCE_SIZE)));
}

void session_admit(struct session *session, bool approved, uint64_t now_ms)
{
    (void)now_ms;
    if (session->question != QUESTION_ADMIT)
        return;
    session->question = QUESTION_NONE;
    session->approved_here = approved;
    session_survives(session, handshake_admit(session->handshake, approved, &session->ready));
}

void session_establish(struct session *session, uint64_t now_ms)
{
    if (session->question != QUESTION_ESTABLISH)
        return;
    session->question = QUESTION_NONE;
    if (!session->keyed && !session_survives(session, session_take_keys(session, now_ms)))
        return;
    drop_handshake(session);
    session->established_ms = now_ms;
    session->approved_at_once = session->approved_here && session->approved_there;
    session_enter(session, SESSION_PENDING);
    session_open_if_approved(session);
}

void session_reject(struct session *session, enum close_code code, uint64_t now_ms)
{
    (void)now_ms;
    if (session->question != QUESTION_NONE)
        session_fail(session, code, NULL);
}

void session_approve(struct session *session, uint64_t now_ms)
{
    (void)now_ms;
    if (session->phase != SESSION_PENDING || session->approved_here)
        return;
    session->approved_here = true;
    if (session_survives(session, record_append(&session->answers, RECORD_APPROVE, SPAN(NULL, 0))))
        session_open_if_approved(session);
}

void session_close(struct session *session, enum close_code code, uint64_t now_ms)
{
    (void)now_ms;
    /*
     * To a stranger who has not even said HELLO there is nothing to say; and a host that has
     * confirmed already would take an alert for an error.
     */
    if (session->handshake != NULL &&
        (!handshake_met(session->handshake) || handshake_awaits_verdict(session->handshake)))
        session_end(session, code, false, NULL);
    else if (session->phase != SESSION_CLOSED)
        session_fail(session, code, NULL);
}

int session_send_item(struct session *session, const struct session_item *item, uint64_t now_ms)
{
    const size_t size = message_record_size(item);
    int r;
    if (session->phase != SESSION_OPEN)
        return -ENOTCONN;
    if (item->content.size < 1 || item->content.size > message_content_max(item->kind) ||
        (message_needs(item->kind) & ~session_features(session)) != 0)
        return -EINVAL;
    if (!window_has_room(&session->window, size))
        return SESSION_FULL;
    r = window_reserve(&session->window);
    if (r == 0)
        r = message_append(&session->items, item);
    if (r == 0)
        window_add(&session->window, size, item->handle, now_ms);
    return r;
}

size_t session_unacknowledged(const struct session *session)
{
    return (size_t)(session->window.queued - session->window.acked);
}

int64_t session_oldest_item(const struct session *session)
{
    const struct window *window = &session->window;
    return window->queued > window->acked ? window_handle(window, window->acked + 1) : 0;
}

int64_t session_acked_item(const struct session *session, uint64_t ordinal)
{
    return window_handle(&session->window, ordinal);
}

int session_send_lane(struct session *session, struct span record)
{
    if (session->phase != SESSION_OPEN)
        return -ENOTCONN;
    return bytes_append(&session->lanes, record.data, record.size);
}

int session_tell(struct session *session, struct span body)
{
    if (session->phase != SESSION_OPEN)
        return -ENOTCONN;
    return record_append(&session->lanes, RECORD_ADDRESSES, body);
}

int session_tell_cloned(struct session *session, const uint8_t here[static INSTANCE_SIZE],
                        const uint8_t other[static INSTANCE_SIZE])
{
    uint8_t body[CLONED_SIZE];
    if (session->phase != SESSION_OPEN)
        return -ENOTCONN;
    memcpy(body, here, INSTANCE_SIZE);
    memcpy(body + INSTANCE_SIZE, other, INSTANCE_SIZE);
    return record_append(&session->answers, RECORD_CLONED, SPAN(body, sizeof body));
}

void session_note_traffic(struct session *session)
{
    session->epoch.items_flowed = true;
}

const uint8_t *session_id(const struct session *session)
{
    return session->sid;
}

void session_acknowledge(struct session *session, uint64_t ordinal)
{
    if (ordinal > session->committed && ordinal <= session->items_received)
        session->committed = ordinal;
}

bool session_ping(struct session *session, uint64_t token, uint64_t now_ms)
{
    return session_established(session) && pings_add(&session->pings, token, true, now_ms);
}

void session_doubt(struct session *session, uint64_t now_ms)
{
    if (!session_established(session))
        return;
    if (pings_add(&session->pings, now_ms, false, now_ms) || session->pings.open_count > 0)
        session->doubted_ms = now_ms;
}

void session_note_arrival(struct session *session, uint64_t now_ms)
{
    session->arrival_ms = now_ms;
}

void session_set_patience(struct session *session, uint64_t patience_ms)
{
    session->patience_ms = patience_ms;
}

enum session_role session_role(const struct session *session)
{
    return session->role;
}

enum session_phase session_phase(const struct session *session)
{
    return session->phase;
}

bool session_established(const struct session *session)
{
    return session->phase == SESSION_PENDING || session->phase == SESSION_OPEN;
}

bool session_approved_here(const struct session *session)
{
    return session->approved_here;
}

bool session_approved_there(const struct session *session)
{
    return session->approved_there;
}

bool session_approved_at_once(const struct session *session)
{
    return session_established(session) ? session->approved_at_once
                                        : session->approved_here && session->approved_there;
}

const struct pubkey *session_peer(const struct session *session)
{
    return session->handshake != NULL ? handshake_peer(session->handshake) : session->peer;
}

enum suite session_suite(const struct session *session)
{
    return session->suite;
}

uint32_t session_features(const struct session *session)
{
    return features_common(session->features, session->peer_features);
}

uint32_t session_peer_features(const struct session *session)
{
    return session->peer_features;
}

bool session_indirect(const struct session *session)
{
    uint32_t joiner = session->role == SESSION_JOINER ? session->features : session->peer_features;
    return (session_features(session) & FEATURE_REACH) != 0 &&
           (joiner & FEATURE_PATH_INDIRECT) != 0;
}

const struct secret *session_tag(const struct session *session)
{
    if (session->handshake != NULL)
        return handshake_tag(session->handshake);
    return session->tagged ? &session->tag : NULL;
}

bool session_says_gone(const struct session *session, const struct session *former)
{
    const struct secret *tag = session_tag(former);
    return tag != NULL && session->handshake != NULL &&
           handshake_says_gone(session->handshake, tag);
}

bool session_met_own_key(const struct session *session)
{
    return session->met_own_key;
}

/* What names the connection; NULL before the joiner said HELLO. */
static const uint8_t *joiner_random(const struct session *session)
{
    if (session->handshake != NULL)
        return handshake_joiner_random(session->handshake);
    return session->greeted ? session->joiner_random : NULL;
}

bool session_other_end(const struct session *a, const struct session *b)
{
    const uint8_t *of_a = joiner_random(a), *of_b = joiner_random(b);
    return a->role != b->role && of_a != NULL && of_b != NULL &&
           memcmp(of_a, of_b, HELLO_RANDOM_SIZE) == 0;
}

const uint8_t *session_invite_id(const struct session *session)
{
    return session->invite.shown ? session->invite.id : NULL;
}

bool session_invite_proven(const struct session *session,
                           const uint8_t secret[static INVITE_SECRET_SIZE])
{
    const struct pubkey *peer = session_peer(session);
    uint8_t mac[INVITE_MAC_SIZE];
    if (peer == NULL || !session->invite.shown ||
        invite_proof_mac(secret, session->invite.transcript, pubkey_fingerprint(peer), mac) != 0)
        return false;
    return secret_equal(mac, session->invite.mac, sizeof mac);
}
