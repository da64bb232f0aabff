/* SPDX-License-Identifier: ISC */
/*
 * Everything about a session that happens because time passes.
 */
#include "proto/session_state.h"

static void keep_earlier(uint64_t *earliest, uint64_t time_ms)
{
    if (time_ms < *earliest)
        *earliest = time_ms;
}

static uint64_t after(uint64_t since_ms, uint64_t wait_ms)
{
    return since_ms == UINT64_MAX ? UINT64_MAX : since_ms + wait_ms;
}

static uint64_t handshake_deadline(const struct session *session)
{
    return session->started_ms + (handshake_met(session->handshake) ? SESSION_HANDSHAKE_TIMEOUT_MS
                                                                    : SESSION_HELLO_TIMEOUT_MS);
}

static uint64_t approval_deadline(const struct session *session)
{
    return session->phase == SESSION_PENDING ? session->established_ms + SESSION_PENDING_TIMEOUT_MS
                                             : UINT64_MAX;
}

static uint64_t frame_deadline(const struct session *session)
{
    return session->header_size == FRAME_HEADER_SIZE ? session->input_ms + SESSION_FRAME_TIMEOUT_MS
                                                     : UINT64_MAX;
}

static uint64_t later(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

/*
 * On a slow wire the PING may stand behind much else, and the PONG too; while that arrives the peer
 * is alive.
 */
static uint64_t pong_deadline(const struct session *session)
{
    uint64_t asked_ms = pings_oldest_ms(&session->pings);
    if (asked_ms == UINT64_MAX)
        return UINT64_MAX;
    return later(asked_ms, later(session->input_ms, session->arrival_ms)) +
           later(SESSION_PONG_TIMEOUT_MS, session->patience_ms);
}

/* Whatever came since shows that the doubt was wrong. */
static uint64_t doubt_deadline(const struct session *session)
{
    if (session->doubted_ms == 0 ||
        later(session->input_ms, session->arrival_ms) > session->doubted_ms)
        return UINT64_MAX;
    return session->doubted_ms + later(SESSION_DOUBT_TIMEOUT_MS, session->patience_ms);
}

static uint64_t patience_deadline(const struct session *session)
{
    return after(window_waiting_since_ms(&session->window), SESSION_ACK_PATIENCE_MS);
}

uint64_t session_deadline(const struct session *session)
{
    uint64_t earliest = UINT64_MAX;
    if (session->phase == SESSION_CLOSED)
        return UINT64_MAX;
    if (session->handshake != NULL)
        return handshake_deadline(session);
    keep_earlier(&earliest, approval_deadline(session));
    keep_earlier(&earliest, frame_deadline(session));
    keep_earlier(&earliest, pong_deadline(session));
    keep_earlier(&earliest, doubt_deadline(session));
    keep_earlier(&earliest, patience_deadline(session));
    keep_earlier(&earliest, epoch_rekey_at_ms(&session->epoch));
    keep_earlier(&earliest, epoch_overdue_at_ms(&session->epoch));
    return earliest;
}

void session_check_epoch(struct session *session, uint64_t now_ms)
{
    if (!session_established(session))
        return;
    if (now_ms >= epoch_overdue_at_ms(&session->epoch))
        session_fail(session, CLOSE_REKEY_OVERDUE, "the keys are too old");
    else if (now_ms >= epoch_rekey_at_ms(&session->epoch))
        session_survives(session, epoch_start_rekey(&session->epoch, now_ms));
}

/* The token is of no interest: nobody asked. */
static void probe(struct session *session, uint64_t now_ms)
{
    pings_add(&session->pings, now_ms, false, now_ms);
    session->window.progress_ms = now_ms;
}

void session_tick(struct session *session, uint64_t now_ms)
{
    if (session->phase == SESSION_CLOSED)
        return;
    if (session->handshake != NULL) {
        if (now_ms >= handshake_deadline(session))
            session_end(session, CLOSE_IDLE_TIMEOUT, false, "the handshake took too long");
        return;
    }
    if (now_ms >= approval_deadline(session))
        session_fail(session, CLOSE_APPROVAL_TIMEOUT, "nobody approved");
    else if (now_ms >= frame_deadline(session))
        session_fail(session, CLOSE_IDLE_TIMEOUT, "a packet stopped half-way");
    else if (now_ms >= pong_deadline(session) || now_ms >= doubt_deadline(session))
        session_fail(session, CLOSE_IDLE_TIMEOUT, "a PING was not answered");
    else if (now_ms >= patience_deadline(session))
        probe(session, now_ms);
    session_check_epoch(session, now_ms);
}
