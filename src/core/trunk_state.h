/* SPDX-License-Identifier: ISC */
/*
 * The inside of a trunk, shared by trunk.c and trunk_lane.c and by nobody else.
 */
#pragma once

#include "core/trunk.h"

/* How long to wait for the next try to get a lane. */
extern const struct backoff_plan trunk_plan;

uint64_t trunk_now(const struct trunk *trunk);

/* Begins a lane over a connection, which the trunk owns from here on, with the present offer. */
void trunk_begin(struct trunk *trunk, struct stream *stream, const struct lane_secrets *secrets);

/* Notes why there is no lane, and when to try again. */
void trunk_fail(struct trunk *trunk, const char *text);

/* The lane is no good any more: its streams wait for the next one. */
void trunk_lose(struct trunk *trunk, const char *why);

/* Joiner: the host closed the connection before it said anything. */
void trunk_say_closed_early(struct trunk *trunk);

/* Says BYE with this code, unless the keys are just about to change, and gives the lane up. */
void trunk_leave(struct trunk *trunk, uint8_t code);

/* How long an offer is good, in milliseconds. */
uint64_t trunk_offer_time(const struct trunk *trunk);

/* The offer is no good any more; a host notes why. */
void trunk_forget_offer(struct trunk *trunk);
void trunk_drop_offer(struct trunk *trunk, const char *why);
