/* SPDX-License-Identifier: ISC */
/*
 * The addresses of this machine and its ways to the internet, read from messages of rtnetlink(7).
 * Pure: bytes in.
 */
#pragma once

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/network_change.h"

enum { NETWORK_ADDRESSES_MAX = 64 };

struct network_state {
    uint8_t addresses[NETWORK_ADDRESSES_MAX][16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned count;
    bool more;                      /* than there is room for */
    struct network_route routes[2]; /* IPv4, IPv6 */
};

/*
 * Takes what one recv(2) brought: addresses and routes are added. Whether that was the end of the
 * answer. Anything else is skipped.
 */
bool network_state_read(struct network_state *state, const uint8_t *messages, size_t size);

/* NETWATCH_ADDRESSES, NETWATCH_ROUTES, both or none. */
unsigned network_state_compare(const struct network_state *old, const struct network_state *state);

/* Whether the address is among them; true of loopback, and when they are more than fit. */
bool network_state_has(const struct network_state *state, const uint8_t address[static 16]);
