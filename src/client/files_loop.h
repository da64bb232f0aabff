/* SPDX-License-Identifier: ISC */
/*
 * Getting all that a peer offers, and will offer, until this is ended: over restarts of the daemon,
 * and what can't be got now again after a while.
 */
#pragma once

#include "client/files_get.h"

/* Whether a transfer of file.list waits to be got from this peer; NULL: any. */
bool files_loop_is_open(const json_t *transfer, const char *peer);

/* Comes back only when something is wrong that does not pass: ctl->status. */
int files_loop(struct files_get *get, const char *peer);
