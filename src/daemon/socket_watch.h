/* SPDX-License-Identifier: ISC */
/*
 * Notices that somebody deleted the control socket: the daemon would run on, and no client find it.
 * It can't be made again, because a confined daemon makes no sockets; the log says what to do.
 */
#pragma once

#include "net/loop.h"

enum { SOCKET_WATCH_INTERVAL_MS = 15 * 1000 };

struct socket_watch;

/*
 * Watches the socket at `path`, which must be there; an abstract one can't be deleted. `remedy` is
 * a command, or what else to do; it must outlive the watch. 0, -ENOMEM or -errno.
 */
int socket_watch_new(struct socket_watch **watch, struct loop *loop, const char *path,
                     const char *remedy);
void socket_watch_free(struct socket_watch *watch);
