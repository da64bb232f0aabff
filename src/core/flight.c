/*
 * What is in flight to one peer.
 */
#include "core/flight.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

void flight_init(struct flight *flight)
{
    *flight = (struct flight){0};
}

void flight_deinit(struct flight *flight)
{
    free(flight->seqs);
}

int flight_start(struct flight *flight)
{
    flight_end(flight);
    flight->seqs = calloc(SESSION_WINDOW_ITEMS, sizeof *flight->seqs);
    return flight->seqs != NULL ? 0 : -ENOMEM;
}

void flight_end(struct flight *flight)
{
    free(STEAL(flight->seqs));
    flight->cursor = 0;
    flight->given = flight->acked = 0;
    flight->rewinds = flight->due = false;
}

static void rewind_landed(struct flight *flight)
{
    if (!flight->rewinds || flight->given != flight->acked)
        return;
    flight->cursor = 0;
    flight->rewinds = false;
}

void flight_rewind(struct flight *flight)
{
    flight->rewinds = true;
    rewind_landed(flight);
}

bool flight_has_room(const struct flight *flight)
{
    return !flight->rewinds && flight->given - flight->acked < SESSION_WINDOW_ITEMS;
}

void flight_give(struct flight *flight, int64_t seq)
{
    flight->cursor = seq;
    flight->given++;
    flight->seqs[flight->given % SESSION_WINDOW_ITEMS] = seq;
}

int64_t flight_oldest(const struct flight *flight)
{
    if (flight->given == flight->acked)
        return 0;
    return flight->seqs[(flight->acked + 1) % SESSION_WINDOW_ITEMS];
}

void flight_land(struct flight *flight)
{
    flight->acked++;
    rewind_landed(flight);
    flight->poison_count = 0;
}

int64_t flight_blame(struct flight *flight)
{
    const int64_t head = flight_oldest(flight);
    if (head == 0)
        return 0;
    flight->poison_count = flight->poison_seq == head ? flight->poison_count + 1 : 1;
    flight->poison_seq = head;
    if (flight->poison_count < FLIGHT_POISON_SESSIONS)
        return 0;
    flight->poison_count = 0;
    return head;
}
