/* SPDX-License-Identifier: ISC */
/*
 * One link: the adapter between a stream and a session.
 */
#define LOG_COMPONENT "link"
#include "core/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static uint64_t now(const struct link *link)
{
    return loop_now(link->loop);
}

const char *link_end_text(const struct link_end *end, char *text, size_t size)
{
    const char *what = end->coded ? close_code_name(end->code) : "connection lost";
    snprintf(text, size, "%s%s%s%s", end->coded && end->by_peer ? "the peer says: " : "", what,
             end->detail != NULL ? ": " : "", end->detail != NULL ? end->detail : "");
    return text;
}

void link_touch(struct link *link)
{
    link->dirty = true;
    if (list_empty(&link->touched))
        list_append(&link->turn->touched, &link->touched);
    loop_wake(link->loop);
}

static void set_state(struct link *link, enum link_state state)
{
    link->state = state;
    switch (state) {
    case LINK_ACTIVE:
        break;
    case LINK_FINISHING:
    case LINK_LINGERING:
        timer_arm_at(link->timer, now(link) + LINK_LINGER_MS);
        break;
    case LINK_DEAD:
        timer_disarm(link->timer);
        stream_pause(link->stream, true);
        break;
    }
    link_touch(link);
}

static bool is_behind(const struct link *link)
{
    return !list_empty(&link->behind);
}

static void end(struct link *link, enum link_state state, const struct link_end *why)
{
    if (link->held_until_ms != 0 || is_behind(link))
        stream_pause(link->stream, false); /* what is unread must not break off the last words */
    set_state(link, state);
    link->events->ended(link->context, link, why);
}

void link_drop(struct link *link, const char *detail)
{
    bool was_active = link->state == LINK_ACTIVE;
    struct link_end why = {.detail = detail};
    if (was_active)
        end(link, LINK_DEAD, &why);
    else
        set_state(link, LINK_DEAD);
}

/* Whether it may do more in this turn; if not, nothing is read until the next. */
static bool has_share(struct link *link)
{
    if (turn_left(link->turn, &link->share, loop_clock(link->loop)))
        return true;
    if (!is_behind(link))
        list_append(&link->turn->behind, &link->behind);
    stream_pause(link->stream, true);
    loop_wake(link->loop);
    return false;
}

static void work(struct link *link)
{
    turn_work(link->turn, &link->share, loop_clock(link->loop));
}

/* Hands out one thing that happened in the session; whether there was one. */
static bool take_event(struct link *link)
{
    struct session_event event = session_next_event(link->session);
    if (event.type == SESSION_NOTHING)
        return false;
    if (event.type == SESSION_ENDED) {
        struct link_end why = {true, event.code, event.by_peer, event.detail};
        end(link, LINK_FINISHING, &why);
    } else {
        link->events->event(link->context, link, &event);
    }
    return true;
}

/* All of it, as far as the link's share of the turn goes. */
static void take_events(struct link *link)
{
    while (link->state == LINK_ACTIVE && has_share(link) && take_event(link))
        work(link);
}

void link_close(struct link *link, enum close_code code)
{
    if (link->state != LINK_ACTIVE)
        return;
    session_close(link->session, code, now(link));
    while (link->state == LINK_ACTIVE && take_event(link)) /* its end is told at once */
        continue;
}

void link_hold(struct link *link, uint64_t ms)
{
    if (link->state != LINK_ACTIVE || link->held_until_ms != 0)
        return;
    link->held_until_ms = now(link) + ms;
    stream_pause(link->stream, true);
    link_touch(link);
}

static void discard_input(struct link *link)
{
    for (struct span data; (data = stream_input(link->stream)).size > 0;)
        stream_consume(link->stream, data.size);
}

/* As much of the input as the link has a share of the turn for. */
static void take_input(struct link *link)
{
    for (struct span data; link->state == LINK_ACTIVE && !is_behind(link) &&
                           (data = stream_input(link->stream)).size > 0;) {
        size_t taken = session_input(link->session, data, now(link));
        stream_consume(link->stream, taken);
        work(link);
        take_events(link);
        if (link->establish_due) {
            stream_pause(link->stream, true);
            break;
        }
        if (link->held_until_ms != 0)
            break;
    }
    link_touch(link);
}

static void on_readable(void *context)
{
    struct link *link = context;
    if (link->state != LINK_ACTIVE) {
        discard_input(link);
        return;
    }
    if (!link->greeted) {
        link->greeted = true;
        if (session_role(link->session) == SESSION_HOST &&
            !link->events->greeted(link->context, link)) {
            link_drop(link, "too many handshakes");
            return;
        }
    }
    take_input(link);
}

void link_go_on(struct link *link)
{
    list_remove(&link->behind);
    if (link->state != LINK_ACTIVE || link->held_until_ms != 0)
        return;
    take_events(link);
    take_input(link);
    if (link->state == LINK_ACTIVE && !is_behind(link) && !link->establish_due &&
        link->held_until_ms == 0)
        stream_pause(link->stream, false);
}

static void on_writable(void *context)
{
    link_touch(context);
}

static void on_ended(void *context, int error)
{
    struct link *link = context;
    link_drop(link, error == 0 ? "connection closed" : "connection lost");
}

/* What arrives there, however slowly, is a sign of life: an answer may wait behind it. */
static void note_arrivals(struct link *link)
{
    const struct pulse_facts facts = stream_pulse(link->stream);
    if (facts.arrivals != link->arrivals)
        session_note_arrival(link->session, now(link));
    link->arrivals = facts.arrivals;
    session_set_patience(link->session, pulse_patience_ms(&facts));
}

void link_doubt(struct link *link)
{
    link->doubted = false;
    note_arrivals(link); /* what came before says nothing */
    session_doubt(link->session, now(link));
    link_touch(link);
}

static void on_timer(void *context)
{
    struct link *link = context;
    if (link->state == LINK_ACTIVE && link->held_until_ms != 0) {
        if (now(link) >= link->held_until_ms)
            link_close(link, CLOSE_GOING_AWAY);
        link_touch(link);
    } else if (link->state == LINK_ACTIVE) {
        note_arrivals(link);
        session_tick(link->session, now(link));
        take_events(link);
        link_touch(link);
    } else {
        set_state(link, LINK_DEAD);
    }
}

static const struct stream_events stream_events = {on_readable, on_writable, on_ended};

int link_new(struct link **link, struct loop *loop, struct turn *turn, struct stream *stream,
             const struct session_settings *settings, const struct link_events *events,
             void *context)
{
    struct link *made = calloc(1, sizeof *made);
    if (made == NULL) {
        stream_free(stream);
        return -ENOMEM;
    }
    *made = (struct link){.stream = stream,
                          .loop = loop,
                          .turn = turn,
                          .events = events,
                          .context = context,
                          .started_ms = loop_now(loop)};
    list_init(&made->node);
    list_init(&made->touched);
    list_init(&made->behind);
    int r = timer_new(&made->timer, loop, on_timer, made);
    if (r == 0)
        r = session_new(&made->session, settings, made->started_ms);
    if (r < 0) {
        link_free(made);
        return r;
    }
    stream_attach(stream, &stream_events, made);
    link_touch(made);
    *link = made;
    return 0;
}

void link_free(struct link *link)
{
    list_remove(&link->node);
    list_remove(&link->touched);
    list_remove(&link->behind);
    timer_free(link->timer);
    session_free(link->session);
    bytes_deinit(&link->told);
    stream_free(link->stream);
    free(link);
}

/* What waited for the commit. */
static void release(struct link *link)
{
    if (link->establish_due) {
        link->establish_due = false;
        session_establish(link->session, now(link));
        /* The key may have become a peer's after the other side was told that nobody knows it. */
        if (link->peer != NULL)
            session_approve(link->session, now(link));
        take_events(link);
        stream_pause(link->stream, is_behind(link));
    }
    if (link->ack_due != 0) {
        session_acknowledge(link->session, link->ack_due);
        link->ack_due = 0;
    }
}

/* Moves bytes from the session to the stream as long as the stream has room. */
static void send_ready(struct link *link)
{
    struct bytes out = {0};
    size_t given = 0;
    while (session_has_output(link->session) && given <= STREAM_LOW_WATER &&
           stream_unsent(link->stream) <= STREAM_LOW_WATER) {
        session_output(link->session, &out, now(link));
        int r = stream_write(link->stream, bytes_span(&out));
        given += out.size;
        bytes_clear(&out);
        if (r < 0) {
            link_drop(link, "out of memory");
            break;
        }
        stream_push(link->stream); /* before the next signature is made */
    }
    bytes_deinit(&out);
    if (session_has_output(link->session) && stream_unsent(link->stream) <= STREAM_LOW_WATER)
        link_touch(link); /* this turn's share is given, and nobody tells that there is room */
    take_events(link);
}

void link_flush(struct link *link)
{
    link->dirty = false;
    if (link->state == LINK_ACTIVE)
        release(link);
    if (link->state == LINK_ACTIVE || link->state == LINK_FINISHING)
        send_ready(link);
    if (link->state == LINK_ACTIVE) {
        /* While it is not read from, nothing can be missed. */
        timer_arm_at(link->timer, link->held_until_ms != 0 ? link->held_until_ms
                                                           : session_deadline(link->session));
    } else if (link->state == LINK_FINISHING && !session_has_output(link->session)) {
        stream_finish(link->stream);
        set_state(link, LINK_LINGERING);
    }
}

const struct fingerprint *link_fingerprint(const struct link *link)
{
    const struct pubkey *key = session_peer(link->session);
    return key != NULL ? pubkey_fingerprint(key) : NULL;
}

bool link_open(const struct link *link)
{
    return link->state == LINK_ACTIVE && session_phase(link->session) == SESSION_OPEN;
}
