/* SPDX-License-Identifier: ISC */
/*
 * What the verbs about files share: transfers as the daemon tells of them.
 */
#pragma once

#include "client/ctl.h"

/* Waits for the reply to a request that was sent. 0, CONNECTION_LOST or -errno. */
int transfer_await(struct ctl *ctl, json_int_t id, json_t **reply);

/*
 * Begins to fetch over a socket: what comes is read from *socket, and after its end the reply to
 * *id says whether that was all. 0, CONNECTION_LOST or -errno.
 */
int transfer_fetch(struct ctl *ctl, const char *id, json_int_t offset, int *socket,
                   json_int_t *request);

/* What the end of a transfer that was waited for means: 0 when it is done, else ctl->status. */
int transfer_judge(struct ctl *ctl, const json_t *transfer);
