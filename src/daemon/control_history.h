/* SPDX-License-Identifier: ISC */
/*
 * history.list takes as many turns as it needs: each looks at a bounded part of the history, so
 * that a long search keeps nobody waiting. A client has one at a time, and says no more meanwhile.
 */
#pragma once

#include "daemon/control_state.h"

/* A turn's share of the client's history.list, which must be there; answers it when it is done. */
void control_history_step(struct control_client *client);

/* The client is gone: so is its history.list. */
void control_history_forget(struct control_client *client);
