/* SPDX-License-Identifier: ISC */
/*
 * A chat's side of the daemon: the events about one peer from now on, and requests beside them,
 * across restarts of the daemon and without ever keeping the user waiting.
 */
#pragma once

#include <poll.h>

#include "base/backoff.h"
#include "base/outcome.h"
#include "client/ctl.h"

struct chat_link {
    struct ctl *ctl;
    json_t *peer;         /* as peer.get had it last, or a part of that */
    json_t *past;         /* by which the daemon tells whether it knows the cursor */
    json_int_t cursor;    /* of the last event that was handed out */
    uint64_t deadline_ms; /* on the monotonic clock: when an answer that is waited for is lost */
    uint64_t retry_ms;    /* on the monotonic clock, while there is no connection */
    struct backoff backoff;
};

enum chat_link_outcome {
    CHAT_LINK_TYPED = OUTCOME_CHAT_LINK, /* the other descriptor is ready */
    CHAT_LINK_LOST,                      /* the daemon went away; said once */
    CHAT_LINK_BACK, /* it is there again: what had no answer must be asked again */
};

/*
 * Connects and follows the peer, as peer.get has it, from now on. 0, or ctl->status after telling.
 * `ctl` outlives it; chat_link_deinit() either way.
 */
int chat_link_init(struct chat_link *link, struct ctl *ctl, json_t *peer);
void chat_link_deinit(struct chat_link *link);

/* What the peer is called; what it is asked for by: its key, if that is known, for names change. */
const char *chat_link_name(const struct chat_link *link);
const char *chat_link_who(const struct chat_link *link);

/* From now on it is this one. */
void chat_link_learn(struct chat_link *link, json_t *peer);

bool chat_link_connected(const struct chat_link *link);

/* Asks for something; the answer comes as a message with this *id. Takes `params`. False when there
 * is no connection. */
bool chat_link_ask(struct chat_link *link, const char *method, json_t *params, json_int_t *id);

/*
 * Waits for what the daemon says, or for `typed`. 0 with a new reference to an event's notification
 * or a reply; a chat_link_outcome; or -1 after telling: the chat can't go on.
 */
int chat_link_next(struct chat_link *link, struct pollfd *typed, json_t **message);
