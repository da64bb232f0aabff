/* SPDX-License-Identifier: ISC */
/*
 * One mark, in memory.
 */
#include "store/mark.h"

#include <errno.h>
#include <stdlib.h>

struct mark_item *mark_flying(const struct mark *mark, unsigned n)
{
    return &mark->flight[(mark->flight_first + n) & (mark->flight_size - 1)];
}

const struct uuid *mark_before(const struct mark *mark, unsigned n)
{
    return n == 0 ? &mark->base : &mark_flying(mark, n - 1)->id;
}

bool mark_has_ordinary(const struct mark *mark)
{
    return mark->queue.messages > mark->strays;
}

static int grow_flight(struct mark *mark)
{
    enum { FIRST_SIZE = 16 };
    const unsigned size = mark->flight_size > 0 ? 2 * mark->flight_size : FIRST_SIZE;
    struct mark_item *flight = malloc(size * sizeof *flight);
    if (flight == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < mark->flight_count; i++)
        flight[i] = *mark_flying(mark, i);
    free(mark->flight);
    mark->flight = flight;
    mark->flight_size = size;
    mark->flight_first = 0;
    return 0;
}

int mark_fly(struct mark *mark, const struct mark_item *item)
{
    int r = mark->flight_count == mark->flight_size ? grow_flight(mark) : 0;
    if (r == 0)
        *mark_flying(mark, mark->flight_count++) = *item;
    return r;
}

void mark_land_all(struct mark *mark)
{
    free(mark->flight);
    mark->flight = NULL;
    mark->flight_size = mark->flight_first = mark->flight_count = 0;
}

void mark_land_oldest(struct mark *mark)
{
    mark->flight_first = (mark->flight_first + 1) & (mark->flight_size - 1);
    if (--mark->flight_count == 0)
        mark_land_all(mark);
}

void mark_queue(struct mark *mark, const struct mark_item *item)
{
    const uint64_t expires_ms = item->expires_ms != 0 ? item->expires_ms : UINT64_MAX;
    const unsigned waiting = (unsigned)(mark->queue.messages - mark->strays) - mark->flight_count;
    if (waiting == 0)
        mark->next = *item;
    if (mark->latest_ms < expires_ms)
        mark->latest_ms = expires_ms;
    mark->queue.messages++;
    mark->queue.bytes += item->size;
}

void mark_leave(struct mark *mark, size_t size)
{
    mark->queue.messages--;
    mark->queue.bytes -= size;
    if (!mark_has_ordinary(mark))
        mark->latest_ms = 0;
}

void mark_catch_up(struct mark *mark, int64_t newest)
{
    if (mark_has_ordinary(mark))
        return;
    mark->sent = mark->delivered = newest;
    mark->next.seq = 0;
}

static void begin(struct mark *mark, int64_t peer)
{
    *mark = (struct mark){.peer = peer};
    list_init(&mark->dirty);
    list_init(&mark->telling);
}

int mark_new(struct mark **mark, int64_t peer)
{
    *mark = malloc(sizeof **mark);
    if (*mark == NULL)
        return -ENOMEM;
    begin(*mark, peer);
    return 0;
}

void mark_free(struct mark *mark)
{
    mark_clear(mark);
    free(mark);
}

void mark_clear(struct mark *mark)
{
    mark_land_all(mark);
    bytes_deinit(&mark->told_sent);
    bytes_deinit(&mark->told_delivered);
    list_remove(&mark->dirty);
    list_remove(&mark->telling);
    begin(mark, mark->peer);
}
