/* SPDX-License-Identifier: ISC */
/*
 * Listening sockets, TCP and UNIX: bound here or inherited, accepting in bounded steps.
 *
 * When the process runs out of descriptors, a listener pauses for a second instead of spinning.
 */
#pragma once

#include "base/address.h"
#include "net/stream.h"

/* Gets each new connection, which it owns from then on. It may not free the listener. */
typedef void listener_accept(void *context, struct stream *stream);

struct listener;

/*
 * Listens on a numeric TCP address; a host of "*", "" or "::" is every address, of IPv4 too, and of
 * IPv4 alone where the kernel has no IPv6. An address that the machine does not have yet is
 * listened on ahead, with a warning. 0, -EINVAL for a host name, -ENODEV for an interface that does
 * not exist, or another -errno.
 */
int listener_new_tcp(struct listener **listener, struct loop *loop, const struct address *address,
                     listener_accept *accept, void *context);

/*
 * Listens on a UNIX socket at `path`, whose mode is `mode` from the moment it exists. A stale
 * socket is replaced; one that a live process answers on is not: -EADDRINUSE. Freed with the socket
 * removed. 0 or -errno.
 */
int listener_new_unix(struct listener **listener, struct loop *loop, const char *path, mode_t mode,
                      listener_accept *accept, void *context);

/*
 * Takes over a socket that listens already, TCP or UNIX, without removing it at the end. 0 or
 * -errno.
 */
int listener_inherit(struct listener **listener, struct loop *loop, int fd, listener_accept *accept,
                     void *context);

void listener_free(struct listener *listener);

/* Whether a connection to this address comes to this TCP listener. Port 0 is nobody's. */
bool listener_serves(const struct listener *listener, const struct address *address);

/*
 * The address it really listens on (with the real port), or the path. Lives as long as the
 * listener.
 */
const char *listener_name(const struct listener *listener);
