/* SPDX-License-Identifier: ISC */
/*
 * Stored messages, fetched page by page.
 */
#pragma once

#include "client/ctl.h"

#define HISTORY_ALL (-1)

/*
 * The newest `count` messages (or HISTORY_ALL) that history.list gives for `params`, oldest first,
 * as an array with a new reference; NULL after telling. `params` stays the caller's.
 */
json_t *history_fetch(struct ctl *ctl, const json_t *params, json_int_t count);
