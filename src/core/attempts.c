/* SPDX-License-Identifier: ISC */
/*
 * What came of the latest dials.
 */
#include "core/attempts.h"

#include <stdlib.h>

#include "net/dialer.h"

static struct attempt *find(const struct attempts *attempts, const struct address *address)
{
    for (unsigned i = 0; i < attempts->count; i++)
        if (address_equal(&attempts->list[i].address, address))
            return &attempts->list[i];
    return NULL;
}

const struct attempt *attempts_find(const struct attempts *attempts, const struct address *address)
{
    return find(attempts, address);
}

bool attempts_any(const struct attempts *attempts, enum attempt_end outcome)
{
    for (unsigned i = 0; i < attempts->count; i++)
        if (attempts->list[i].outcome == outcome)
            return true;
    return false;
}

static struct attempt *find_oldest(const struct attempts *attempts)
{
    struct attempt *oldest = attempts->list;
    for (unsigned i = 1; i < attempts->count; i++)
        if (attempts->list[i].time_ms < oldest->time_ms)
            oldest = &attempts->list[i];
    return oldest;
}

/* One more place; without memory for it, that of the oldest; NULL if there is none at all. */
static struct attempt *make_place(struct attempts *attempts)
{
    struct attempt *list = NULL;
    if (attempts->count < DIAL_WAYS_MAX)
        list = reallocarray(attempts->list, attempts->count + 1, sizeof *list);
    if (list == NULL)
        return find_oldest(attempts);
    attempts->list = list;
    return &list[attempts->count++];
}

void attempts_note(struct attempts *attempts, const struct attempt *attempt)
{
    struct attempt *place = find(attempts, &attempt->address);
    if (place == NULL)
        place = make_place(attempts);
    if (place != NULL)
        *place = *attempt;
}

void attempts_clear(struct attempts *attempts)
{
    free(attempts->list);
    *attempts = (struct attempts){0};
}
