/* SPDX-License-Identifier: ISC */
/*
 * Bookkeeping of PINGs; the records themselves and the time-out are the session's.
 */
#include "proto/pings.h"

#include <string.h>

/* Whether one more may happen now; if so it is noted. */
static bool take_turn(uint64_t *ring, size_t size, size_t *next, uint64_t now_ms)
{
    uint64_t oldest = ring[*next];
    if (oldest != 0 && now_ms + 1 < oldest + PINGS_WINDOW_MS)
        return false;
    ring[*next] = now_ms + 1;
    *next = (*next + 1) % size;
    return true;
}

bool pings_add(struct pings *pings, uint64_t token, bool asked, uint64_t now_ms)
{
    if (pings->open_count == PINGS_OPEN_MAX ||
        !take_turn(pings->sent_ms, PINGS_SENT_MAX, &pings->sent_next, now_ms))
        return false;
    pings->open[pings->open_count++] =
        (struct ping){.token = token, .since_ms = now_ms, .asked = asked};
    return true;
}

size_t pings_unsent(const struct pings *pings)
{
    size_t count = 0;
    for (size_t i = 0; i < pings->open_count; i++)
        count += !pings->open[i].sent;
    return count;
}

void pings_mark_sent(struct pings *pings, uint64_t now_ms)
{
    for (size_t i = 0; i < pings->open_count; i++) {
        if (!pings->open[i].sent) {
            pings->open[i].sent = true;
            pings->open[i].since_ms = now_ms;
        }
    }
}

bool pings_answer(struct pings *pings, uint64_t token, struct ping *ping)
{
    if (pings->open_count == 0 || !pings->open[0].sent || pings->open[0].token != token)
        return false;
    *ping = pings->open[0];
    pings->open_count--;
    memmove(pings->open, pings->open + 1, pings->open_count * sizeof pings->open[0]);
    return true;
}

bool pings_receive(struct pings *pings, uint64_t now_ms)
{
    return take_turn(pings->received_ms, PINGS_RECEIVED_MAX, &pings->received_next, now_ms);
}

uint64_t pings_oldest_ms(const struct pings *pings)
{
    return pings->open_count == 0 ? UINT64_MAX : pings->open[0].since_ms;
}
