/* SPDX-License-Identifier: ISC */
/*
 * The methods file.*: what a client gives and takes goes over sockets that it hands over.
 */
#pragma once

#include "daemon/control_shared.h"

/* A transfer has ended: those who wait for that are answered. For the observer. */
void control_files_ended(void *context, int64_t seq);

/* The client has gone: what it gave or took is given up. */
void control_files_forget(struct control_client *client);

/* Nobody is answered any more but with "stopping". */
void control_files_stop(struct control *control);
