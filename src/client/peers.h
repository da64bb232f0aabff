/* SPDX-License-Identifier: ISC */
/*
 * All peers: peer.list gives as many at a time as fit into a reply.
 */
#pragma once

#include <stdbool.h>

#include <jansson.h>

/* Whether more peers follow those of this result of peer.list; then *params (new; NULL without
 * memory) asks for them. */
bool peers_more(const json_t *result, json_t **params);
