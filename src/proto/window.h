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

/* All zero is a valid start. */
struct window {
    uint64_t queued;
    uint64_t sent;
    uint64_t acked;
    uint64_t progress_ms; /* last time something was acknowledged or the window was empty */
    size_t bytes;         /* in the window */
    uint32_t sizes[SESSION_WINDOW_ITEMS];
};

/* Whether an item of `size` bytes may come in; into an empty window every item may. */
bool window_has_room(const struct window *window, size_t size);

/* One more item, for which there is room. */
void window_add(struct window *window, size_t size, uint64_t now_ms);

/* `count` of the waiting items leave. */
void window_mark_sent(struct window *window, size_t count);

/* Everything up to `ordinal` is committed; false if the peer can't know or has said so before. */
bool window_acknowledge(struct window *window, uint64_t ordinal, uint64_t now_ms);

/* Since when items wait for an acknowledgement without any progress; UINT64_MAX if none does. */
uint64_t window_waiting_since_ms(const struct window *window);
