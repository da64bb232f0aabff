/* SPDX-License-Identifier: ISC */
/*
 * One mark, in memory.
 */
#include "store/mark.h"

#include <errno.h>
#include <stdlib.h>

struct mark_item *mark_inflight(const struct mark *mark, unsigned n)
{
    return &mark->inflight[(mark->inflight_first + n) & (mark->inflight_size - 1)];
}

const struct uuid *mark_before(const struct mark *mark, unsigned n)
{
    return n == 0 ? &mark->base : &mark_inflight(mark, n - 1)->id;
}

bool mark_has_ordinary(const struct mark *mark)
{
    return mark->queue.messages > mark->strays;
}

static int grow_inflight(struct mark *mark)
{
    enum { FIRST_SIZE = 16 };
    const unsigned size = mark->inflight_size > 0 ? 2 * mark->inflight_size : FIRST_SIZE;
    struct mark_item *inflight = malloc(size * sizeof *inflight);
    if (inflight == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < mark->inflight_count; i++)
        inflight[i] = *mark_inflight(mark, i);
    free(mark->inflight);
    mark->inflight = inflight;
    mark->inflight_size = size;
    mark->inflight_first = 0;
    return 0;
}

int mark_transmit(struct mark *mark, const struct mark_item *item)
{
    int r = mark->inflight_count == mark->inflight_size ? grow_inflight(mark) : 0;
    if (r == 0)
        *mark_inflight(mark, mark->inflight_count++) = *item;
    return r;
}

void mark_take_all(struct mark *mark)
{
    free(mark->inflight);
    mark->inflight = NULL;
    mark->inflight_size = mark->inflight_first = mark->inflight_count = 0;
}

void mark_take_oldest(struct mark *mark)
{
    mark->inflight_first = (mark->inflight_first + 1) & (mark->inflight_size - 1);
    if (--mark->inflight_count == 0)
        mark_take_all(mark);
}

void mark_queue(struct mark *mark, const struct mark_item *item)
{
    const uint64_t expires_ms = item->expires_ms != 0 ? item->expires_ms : UINT64_MAX;
    const unsigned waiting = (unsigned)(mark->queue.messages - mark->strays) - mark->inflight_count;
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
    mark_take_all(mark);
    bytes_deinit(&mark->told_sent);
    bytes_deinit(&mark->told_delivered);
    list_remove(&mark->dirty);
    list_remove(&mark->telling);
    begin(mark, mark->peer);
}
