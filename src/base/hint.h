/* SPDX-License-Identifier: ISC */
/*
 * Commands of p2pchatctl in texts that tell people what to do.
 *
 * Texts are written for a daemon whose socket p2pchatctl finds by itself: "see: p2pchatctl doctor".
 * For another daemon each command has to name the socket, or it asks the wrong one.
 */
#pragma once

#include "base/bytes.h"

/*
 * Appends the text, with "-s SOCKET" in each command; NULL appends it as it is. Left alone are:
 * what stands behind "there:" or "there (" up to the next ';', ')' or '?', which is for the peer's
 * machine; what is in quotes, part of a longer word, or has -s already; and `p2pchatctl help`. 0 or
 * -ENOMEM.
 */
int hint_append(struct bytes *out, const char *text, const char *socket);
