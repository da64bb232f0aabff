/* SPDX-License-Identifier: ISC */
/*
 * Arithmetic of the window; the items themselves are elsewhere.
 */
#include "proto/window.h"

bool window_has_room(const struct window *window, size_t size)
{
    uint64_t items = window->queued - window->acked;
    if (items == 0)
        return true;
    return items < SESSION_WINDOW_ITEMS && window->bytes + size <= SESSION_WINDOW_BYTES;
}

void window_add(struct window *window, size_t size, uint64_t now_ms)
{
    if (window->queued == window->acked)
        window->progress_ms = now_ms;
    window->sizes[window->queued % SESSION_WINDOW_ITEMS] = (uint32_t)size;
    window->queued++;
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
    for (; window->acked < ordinal; window->acked++)
        window->bytes -= window->sizes[window->acked % SESSION_WINDOW_ITEMS];
    window->progress_ms = now_ms;
    return true;
}

uint64_t window_waiting_since_ms(const struct window *window)
{
    return window->queued == window->acked ? UINT64_MAX : window->progress_ms;
}
