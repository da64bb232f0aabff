/* SPDX-License-Identifier: ISC */
/*
 * How peers look to people.
 */
#pragma once

#include <stdbool.h>

#include "client/ctl.h"

/* A table with a line for each peer of an array; a hint when there is none. 0 or ctl->status. */
int peer_view_table(struct ctl *ctl, const json_t *peers);

/* What encrypts the session with a peer, in words; NULL without one. */
const char *peer_view_suite(const json_t *peer);

/* Whether the daemon with this status can speak a post-quantum suite. */
bool peer_view_post_quantum(const json_t *status);

/* Everything about one. */
void peer_view_details(struct ctl *ctl, const json_t *peer);

/*
 * The peer that we have just paired with, as the options want it: object, line or nothing; and a
 * note if it has another name than was `wanted` (or NULL).
 */
void peer_view_met(struct ctl *ctl, const json_t *peer, const char *wanted);

/* A key that asks to be let in, and what to do about it. */
void peer_view_request(struct ctl *ctl, const json_t *request);
