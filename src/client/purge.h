/* SPDX-License-Identifier: ISC */
/*
 * Removing messages for good, however many.
 */
#pragma once

#include "client/ctl.h"

/*
 * Calls history.purge with `params` (which stay the caller's) until nothing is left to remove.
 * *removed says how many messages went, also after a failure. 0 or ctl->status.
 */
int purge_all(struct ctl *ctl, const json_t *params, json_int_t *removed);
