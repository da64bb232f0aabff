/* SPDX-License-Identifier: ISC */
/*
 * Our own items that are under way: handed in, transmitted, acknowledged.
 *
 *     1 ... acked | acked+1 ... sent | sent+1 ... queued
 *      committed  |    in flight     |  wait for a packet
 *      by the peer \_______________ the window __________/
 *
 * Ordinals count items from 1 in this session.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/session_types.h"

struct window_item;

/* All zero is a valid start. */
struct window {
    uint64_t queued;
    uint64_t sent;
    uint64_t acked;
    uint64_t progress_ms;      /* last time something was acknowledged or the window was empty */
    size_t bytes;              /* in the window */
    struct window_item *items; /* ring of SESSION_WINDOW_ITEMS, since the first item; or NULL */
};

void window_deinit(struct window *window);

/* Whether an item of `size` bytes may come in; into an empty window every item may. */
bool window_has_room(const struct window *window, size_t size);

/* Makes sure that there is memory for items. 0 or -ENOMEM. */
int window_reserve(struct window *window);

/* One more item, for which there is room and memory, and its owner's handle. */
void window_add(struct window *window, size_t size, int64_t handle, uint64_t now_ms);

/* `count` of the waiting items leave. */
void window_mark_sent(struct window *window, size_t count);

/* Everything up to `ordinal` is committed; false if the peer can't know or has said so before. */
bool window_acknowledge(struct window *window, uint64_t ordinal, uint64_t now_ms);

/*
 * The handle of an item that is in the window, or was until the last acknowledgement and nothing
 * was added since; else 0.
 */
int64_t window_handle(const struct window *window, uint64_t ordinal);

/* Since when items wait for an acknowledgement without any progress; UINT64_MAX if none does. */
uint64_t window_waiting_since_ms(const struct window *window);
