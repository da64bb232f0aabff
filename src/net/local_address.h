/* SPDX-License-Identifier: ISC */
/*
 * The addresses by which this machine reaches others, which mostly are those by which others reach
 * it. Asking for them sends nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

/*
 * Writes up to `max` addresses with this port: those that the routes to the internet and to private
 * networks begin at, without loopback and link-local ones, and without IPv6 if not wanted. Returns
 * how many.
 */
unsigned local_address_list(struct address *addresses, unsigned max, uint16_t port, bool ipv6);

/* Whether this machine has a way to the internet by IPv6. */
bool local_address_has_ipv6(void);

/* Where that begins, if it may: at an address that is not a temporary one. False without it. */
bool local_address_lasting(uint8_t address[static 16]);

/* Whether a numeric host stands for every address, and whether for those of IPv6 too. */
bool local_address_is_any(const char *host, bool *ipv6);
