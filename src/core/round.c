/* SPDX-License-Identifier: ISC */
/*
 * A round of dialling.
 */
#define LOG_COMPONENT "peer"
#include "core/round.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/former.h"
#include "core/runtime.h"

struct round {
    const struct runtime *runtime;
    struct links *links;
    struct peer *peer;
    const struct round_events *events;
    uint64_t since_ms;
    struct dial *dial;       /* NULL when no way is left to race */
    struct link *attempt;    /* the handshake that goes on, or NULL … */
    unsigned way;            /* … and over which way */
    struct timer *patience;  /* with an attempt that nobody answers */
    unsigned answers;        /* attempts that somebody has answered */
    enum redial_event worst; /* what the round comes to if no link comes of it */
    struct address ways[];
};

static void arm_patience(struct round *round)
{
    timer_arm_at(round->patience, loop_now(round->runtime->loop) + ROUND_PATIENCE_MS);
}

/* --- connections ------------------------------------------------------------------------------ */

/* Tries the next connection, or ends the round. */
static void go_on(struct round *round)
{
    if (round->dial != NULL && round->answers < ROUND_ANSWERS_MAX)
        dial_go_on(round->dial);
    else
        round->events->over(round->peer, round, round->worst);
}

/* Another connection is there, and nobody has said a word on this one. */
static void drop_attempt(struct round *round)
{
    struct link *attempt = STEAL(round->attempt);
    attempt->peer = NULL;
    link_drop(attempt, "nobody answers");
    round->events->failed(round->peer, &round->ways[round->way], ATTEMPT_UNREACHED,
                          "it connects, but nobody answers");
}

static void greeting_cleanup(struct round_greeting *greeting)
{
    former_list_cleanup(&greeting->gone);
}

static bool on_connected(void *context, unsigned way, struct stream *stream)
{
    struct round *round = context;
    if (round->attempt != NULL && round->attempt->greeted)
        return false;
    if (round->attempt != NULL)
        drop_attempt(round);
    round->way = way;
    CLEANUP(greeting_cleanup) struct round_greeting greeting = {0};
    round->events->greet(round->peer, &round->ways[way], &greeting);
    int r = links_join(round->links, stream, round->peer, greeting.invite_secret, &greeting.gone,
                       &round->attempt);
    if (r < 0) {
        round->events->failed(round->peer, &round->ways[way], ATTEMPT_UNREACHED, strerror(-r));
        dial_go_on(round->dial);
        return true;
    }
    round->attempt->given = greeting.given;
    arm_patience(round);
    round->events->joined(round->peer);
    return true;
}

static void on_failed(void *context, unsigned way, const char *error)
{
    struct round *round = context;
    round->events->failed(round->peer, &round->ways[way], ATTEMPT_UNREACHED, error);
}

static void on_over(void *context)
{
    struct round *round = context;
    round->dial = NULL;
    if (round->attempt == NULL)
        go_on(round);
}

static const struct dial_events dial_events = {on_connected, on_failed, on_over};

static void on_impatient(void *context)
{
    struct round *round = context;
    if (round->dial != NULL && round->attempt != NULL && !round->attempt->greeted)
        dial_go_on(round->dial);
}

/* --- life ------------------------------------------------------------------------------------- */

void round_free(struct round *round)
{
    if (round == NULL)
        return;
    dial_cancel(round->dial);
    timer_free(round->patience);
    free(round);
}

DEFINE_CLEANUP(struct round *, round_cleanup, round_free)

int round_start(struct round **result, const struct round_parts *parts)
{
    size_t ways_size = parts->way_count * sizeof *parts->ways;
    CLEANUP(round_cleanup) struct round *round = calloc(1, sizeof *round + ways_size);
    if (round == NULL)
        return -ENOMEM;
    round->runtime = parts->runtime;
    round->links = parts->links;
    round->peer = parts->peer;
    round->events = parts->events;
    round->since_ms = loop_now(parts->runtime->loop);
    round->worst = REDIAL_FAILED;
    memcpy(round->ways, parts->ways, ways_size);
    int r = timer_new(&round->patience, parts->runtime->loop, on_impatient, round);
    if (r == 0)
        r = dial_start(&round->dial, parts->runtime->dialer, parts->priority, round->ways,
                       parts->way_count, &dial_events, round);
    if (r < 0)
        return r;
    *result = STEAL(round);
    return 0;
}

struct link *round_attempt(const struct round *round)
{
    return round->attempt;
}

uint64_t round_since(const struct round *round)
{
    return round->since_ms;
}

bool round_settle(struct round *round, const struct link *link)
{
    dial_cancel(STEAL(round->dial));
    if (round->attempt == link)
        round->attempt = NULL;
    return round->attempt != NULL;
}

void round_move(struct round *round, struct peer *peer)
{
    round->peer = peer;
    if (round->attempt != NULL)
        round->attempt->peer = peer;
}

/* --- the end of a handshake ------------------------------------------------------------------- */

enum redial_event round_event_of(const struct link_end *end)
{
    if (!end->coded)
        return REDIAL_FAILED;
    switch (end->code) {
    case CLOSE_HANDSHAKE_FAILED:
        return REDIAL_UNPROVEN;
    case CLOSE_REFUSED:
    case CLOSE_APPROVAL_TIMEOUT:
    case CLOSE_UNSUPPORTED:
    case CLOSE_SELF:
    case CLOSE_BAD_KEY:
        return REDIAL_REFUSED;
    case CLOSE_DUPLICATE:
    case CLOSE_REPLACED:
        return REDIAL_DUPLICATE;
    case CLOSE_BUSY:
        return REDIAL_BUSY;
    case CLOSE_NORMAL:
    case CLOSE_GOING_AWAY:
    case CLOSE_IDLE_TIMEOUT:
    case CLOSE_REKEY_OVERDUE:
    case CLOSE_PROTOCOL_ERROR:
    case CLOSE_INTERNAL_ERROR:
    case CLOSE_SLOW_PEER:
    case CLOSE_UNSUPPORTED_RECORD:
    case CLOSE_BAD_ITEM:
        break;
    }
    return REDIAL_FAILED;
}

/* Why the link that we dialled came to nothing. */
static enum attempt_end explain(const struct link *link, const struct link_end *end,
                                char text[static ATTEMPT_ERROR_MAX])
{
    if (link->verdict == TRUST_ALARM || link->verdict == TRUST_ELSEWHERE) {
        char key[FINGERPRINT_TEXT_MAX];
        fingerprint_format(link_fingerprint(link), key);
        snprintf(text, ATTEMPT_ERROR_MAX, "another key answered: %s", key);
        return ATTEMPT_OTHER_KEY;
    }
    if (end->coded && end->code == CLOSE_SELF) {
        snprintf(text, ATTEMPT_ERROR_MAX,
                 link->is_own ? "this is an address of this machine"
                              : "another machine answered, which has this machine's key");
        return link->is_own ? ATTEMPT_SELF : ATTEMPT_UNREACHED;
    }
    if (link->verdict == TRUST_WEAK) {
        snprintf(text, ATTEMPT_ERROR_MAX, "it has to speak a post-quantum suite, and can't");
        return ATTEMPT_UNREACHED;
    }
    link_end_text(end, text, ATTEMPT_ERROR_MAX);
    bool by_policy = end->coded && end->by_peer && end->code == CLOSE_REFUSED;
    return by_policy ? ATTEMPT_REFUSED : ATTEMPT_UNREACHED;
}

/* Who is at a place that people did not give says nothing of the others. */
static enum redial_event judge(const struct link *attempt, const struct link_end *end)
{
    return attempt->verdict == TRUST_ELSEWHERE && !attempt->given ? REDIAL_FAILED
                                                                  : round_event_of(end);
}

void round_attempt_ended(struct round *round, const struct link_end *end)
{
    char text[ATTEMPT_ERROR_MAX];
    struct link *attempt = STEAL(round->attempt);
    enum attempt_end outcome = explain(attempt, end, text);
    enum redial_event event = judge(attempt, end);
    round->answers += attempt->greeted;
    if (event == REDIAL_DUPLICATE) {
        round->events->over(round->peer, round, event);
        return;
    }
    round->events->failed(round->peer, &round->ways[round->way], outcome, text);
    if (event == REDIAL_BUSY) {
        round->events->over(round->peer, round, event);
        return;
    }
    if (round->worst != REDIAL_REFUSED && event != REDIAL_FAILED)
        round->worst = event;
    go_on(round);
}
