/* SPDX-License-Identifier: ISC */
/*
 * What the store has of one event: store/events.h reads and writes it.
 */
#pragma once

#include "store/message_row.h"

enum event_type {
    EVENT_MESSAGE_RECEIVED = 0,
    EVENT_MESSAGE_SENT = 1,
    EVENT_MESSAGE_STATE = 2,
    EVENT_PEER_KEY_CHANGED = 3,
    EVENT_PEER_TRUST = 4,
    EVENT_PEER_MOVED = 6,      /* its key is used with another state directory now */
    EVENT_PEER_CLONED = 7,     /* two use its key at the same time */
    EVENT_IDENTITY_CLONED = 8, /* two use our key: the peer said so, or it answered in its place */
    EVENT_LAST = EVENT_IDENTITY_CLONED,
};

/* One event. Pointers live until the visitor returns. */
struct event_row {
    int64_t seq;
    enum event_type type;
    uint64_t time_ms; /* wall clock */
    int64_t peer;
    char peer_name[PEER_NAME_MAX];
    bool pinned;
    uint8_t key[PEER_KEY_SIZE]; /* as it is now, like the name */
    enum peer_trust trust;      /* when it happened */
    enum message_state state;   /* MESSAGE_STATE */
    const char *reason;         /* MESSAGE_STATE, or NULL */
    bool offered;               /* KEY_CHANGED */
    uint8_t offered_key[PEER_KEY_SIZE];
    const struct message_row *message; /* MESSAGE_*: as it is now; NULL when it is gone */
};
