/* SPDX-License-Identifier: ISC */
/*
 * Sockets below the streams: TCP options and the addresses of both ends. No events here.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "net/origin.h"
#include "net/pulse.h"

/* Room for the address of any family. */
union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
};

/* AF_INET, AF_INET6, AF_UNIX and so on; or -errno. */
int socket_family(int fd);

/* Makes a TCP connection prompt, and quick to notice a peer that vanished. 0 or -errno. */
int socket_tune_tcp(int fd);

/* What the kernel knows of a TCP connection's other end; on other sockets nothing waits. */
struct pulse_facts socket_pulse(int fd);

/*
 * Lets the kernel hold more of what is sent, for throughput; `background`: marks what is sent as
 * Lower-Effort (RFC 8622). Best effort.
 */
void socket_tune_bulk(int fd, bool background);

/* Whether a TCP connection ended up connected to itself, as happens to dials on the own machine. */
bool socket_is_self_connected(int fd);

/* The host of an IPv4 (as ::ffff:a.b.c.d) or IPv6 address; false for another family. */
bool socket_host(const union socket_address *address, uint8_t host[static ORIGIN_KEY_SIZE]);

/* The numeric text (link-local with its interface) and the key of an IPv4 or IPv6 address. */
void socket_origin(const union socket_address *address, struct origin *origin);
