/* SPDX-License-Identifier: ISC */
/*
 * Which message makes a peer end session after session: such a message would block everything
 * behind it. A message is named by its seq, which is never 0.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SUSPICION_SESSIONS = 3 }; /* ended by the same message, then it is to blame */

/* All zero is a valid start: nothing is suspected. */
struct suspicion {
    int64_t seq;       /* the oldest in flight when the peer last could not take something … */
    unsigned sessions; /* … and how many sessions in a row ended so */
};

/*
 * Whether messages go one by one, so that a good one is never the oldest in flight in place of the
 * bad one behind it.
 */
bool suspicion_raised(const struct suspicion *suspicion);

/*
 * The peer ended a session for something that it was sent, while `oldest` (0: nothing) was the
 * oldest in flight. Whether that message is to blame; then the suspicion is over.
 */
bool suspicion_blames(struct suspicion *suspicion, int64_t oldest);

/* The peer took a message. */
void suspicion_clear(struct suspicion *suspicion);
