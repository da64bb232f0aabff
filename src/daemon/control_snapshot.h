/* SPDX-License-Identifier: ISC */
/*
 * A copy of the store for a backup, made for a client while everything else goes on.
 */
#pragma once

#include "daemon/control_shared.h"

/* The client is gone, and its copy with it. */
void control_snapshot_forget(struct control_client *client);
