/* SPDX-License-Identifier: ISC */
/*
 * Sockets that people name: "HOST:PORT" or "unix:PATH".
 */
#pragma once

/* Two ends of a new connection within this machine. 0 or -errno. */
int socket_pair(int ends[static 2]);

/*
 * Begins to connect; *pending says whether it has yet to come about (poll for writing, then ask
 * socket_error()). A descriptor or -errno; -ENOENT: no such host.
 */
int socket_connect(const char *address, int *pending);

/* What became of a connection that was pending: 0 or -errno. */
int socket_error(int fd);

/*
 * Listens at "[HOST:]PORT", on loopback without a host, or at "unix:PATH" for this user only, where
 * a socket that nobody listens on is replaced. A descriptor or -errno.
 */
int socket_listen(const char *address);

/* Whether an address could be one: NULL, or what is wrong with it. */
const char *socket_flaw(const char *address);
