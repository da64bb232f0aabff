/* SPDX-License-Identifier: ISC */
/*
 * Arithmetic of the window; the items themselves are elsewhere.
 */
#include "proto/window.h"

#include <errno.h>
#include <stdlib.h>

struct window_item {
    int64_t handle;
    uint32_t size;
};

static struct window_item *item_at(const struct window *window, uint64_t ordinal)
{
    return &window->items[ordinal % SESSION_WINDOW_ITEMS];
}

void window_deinit(struct window *window)
{
    free(window->items);
    *window = (struct window){0};
}

bool window_has_room(const struct window *window, size_t size)
{
    uint64_t items = window->queued - window->acked;
    if (items == 0)
        return true;
    return items < SESSION_WINDOW_ITEMS && window->bytes + size <= SESSION_WINDOW_BYTES;
}

int window_reserve(struct window *window)
{
    if (window->items == NULL)
        window->items = calloc(SESSION_WINDOW_ITEMS, sizeof *window->items);
    return window->items != NULL ? 0 : -ENOMEM;
}

void window_add(struct window *window, size_t size, int64_t handle, uint64_t now_ms)
{
    if (window->queued == window->acked)
        window->progress_ms = now_ms;
    *item_at(window, ++window->queued) = (struct window_item){handle, (uint32_t)size};
    window->bytes += size;
}

void window_mark_sent(struct window *window, size_t count)
{
    window->sent += count;
}

bool window_acknowledge(struct window *window, uint64_t ordinal, uint64_t now_ms)
{
    if (ordinal <= window->acked || ordinal > window->sent)
        return false;
    while (window->acked < ordinal)
        window->bytes -= item_at(window, ++window->acked)->size;
    window->progress_ms = now_ms;
    return true;
}

int64_t window_handle(const struct window *window, uint64_t ordinal)
{
    if (ordinal > window->queued || ordinal + SESSION_WINDOW_ITEMS <= window->queued)
        return 0;
    return window->items != NULL ? item_at(window, ordinal)->handle : 0;
}

uint64_t window_waiting_since_ms(const struct window *window)
{
    return window->queued == window->acked ? UINT64_MAX : window->progress_ms;
}
