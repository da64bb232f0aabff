/* SPDX-License-Identifier: ISC */
/*
 * The other end of store.snapshot: asks a running daemon for a copy of its store.
 */
#pragma once

#include <jansson.h>

/*
 * Has the daemon at this control socket copy its store. The copy is there until the connection is
 * closed. 0 with the connection and what the daemon said of it; -ECONNREFUSED or -ENOENT (not
 * logged) when no daemon answers there, or another -errno (logged).
 */
int snapshot_client_ask(const char *control, int *connection, json_t **said);
