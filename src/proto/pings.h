/* SPDX-License-Identifier: ISC */
/*
 * PINGs of one session, both ways: which of ours are unanswered, and how many the peer may send.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PINGS_OPEN_MAX = 4, /* of ours, unanswered */
    PINGS_SENT_MAX =
        6, /* of ours in PINGS_WINDOW_MS; with the open ones, no more than the peer takes */
    PINGS_RECEIVED_MAX = 10, /* of the peer's in PINGS_WINDOW_MS */
    PINGS_WINDOW_MS = 10000,
};

/* One of ours. */
struct ping {
    uint64_t token;
    uint64_t since_ms; /* when it left, or was asked for */
    bool asked;        /* somebody wants to hear of the answer */
    bool sent;
};

/* All zero is a valid start. */
struct pings {
    struct ping open[PINGS_OPEN_MAX]; /* oldest first */
    size_t open_count;
    uint64_t sent_ms[PINGS_SENT_MAX]; /* rings of the latest, as time + 1; 0 is none */
    size_t sent_next;
    uint64_t received_ms[PINGS_RECEIVED_MAX];
    size_t received_next;
};

/* Notes a PING of ours to be sent; false if there are too many already. */
bool pings_add(struct pings *pings, uint64_t token, bool asked, uint64_t now_ms);

/* How many wait to be sent, oldest of them first in open[open_count - n ...]. */
size_t pings_unsent(const struct pings *pings);

/* All that waited leave now. */
void pings_mark_sent(struct pings *pings, uint64_t now_ms);

/* Takes a PONG: whether it answers the oldest PING that was sent, which is then left in *ping. */
bool pings_answer(struct pings *pings, uint64_t token, struct ping *ping);

/* Counts a PING of the peer: whether it is still within the limit. */
bool pings_receive(struct pings *pings, uint64_t now_ms);

/* When the oldest open PING came into being or left; UINT64_MAX without one. */
uint64_t pings_oldest_ms(const struct pings *pings);
