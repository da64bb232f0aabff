/* SPDX-License-Identifier: ISC */
/*
 * What can change about the network that this machine is in.
 */
#pragma once

#include <stdint.h>

enum netwatch_change {
    NETWATCH_ADDRESSES = 1, /* that this machine has */
    NETWATCH_ROUTES = 2,    /* the way to the internet, by IPv4 or IPv6 */
    NETWATCH_RESUMED = 4,   /* it was suspended */
    NETWATCH_CLOCK = 8,     /* the wall clock was set, as it is when a virtual machine goes on */
};

/* A way to the internet; all zero for none. Addresses of IPv4 are ::ffff:a.b.c.d. */
struct network_route {
    uint8_t gateway[16]; /* the router */
    uint8_t source[16];  /* our own address on the way to it */
    uint32_t interface;  /* its number */
};
