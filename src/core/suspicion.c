/* SPDX-License-Identifier: ISC */
/*
 * Which message makes a peer end session after session.
 */
#include "core/suspicion.h"

bool suspicion_raised(const struct suspicion *suspicion)
{
    return suspicion->sessions > 0;
}

bool suspicion_blames(struct suspicion *suspicion, int64_t oldest)
{
    if (oldest == 0)
        return false;
    if (suspicion->seq != oldest)
        *suspicion = (struct suspicion){.seq = oldest};
    if (++suspicion->sessions < SUSPICION_SESSIONS)
        return false;
    suspicion_clear(suspicion);
    return true;
}

void suspicion_clear(struct suspicion *suspicion)
{
    *suspicion = (struct suspicion){0};
}
