/* SPDX-License-Identifier: ISC */
/*
 * Looks up host names: /etc/hosts, then the name servers of /etc/resolv.conf, both read anew each
 * time.
 */
#pragma once

#include <netdb.h>

#include "base/address.h"
#include "net/loop.h"

struct lookup;

/*
 * Told once how it ended: with addresses, released by lookup_free_addresses(), or with NULL and a
 * reason for people. The look-up is gone when this returns.
 */
typedef void lookup_done(void *context, struct addrinfo *addresses, const char *error);

/*
 * Asks for addresses of one family, AF_INET or AF_INET6. Never calls back before it returns, and
 * may take longer than anybody wants to wait. 0 or -errno.
 */
int lookup_start(struct lookup **lookup, struct loop *loop, const struct address *address,
                 int family, lookup_done *done, void *context);

/* Gives up without a call back. NULL is allowed. */
void lookup_cancel(struct lookup *lookup);

/*
 * The address that a host in numeric form stands for, without asking anybody; NULL when it is a
 * name.
 */
struct addrinfo *lookup_numeric(const struct address *address);

/* NULL is allowed. */
void lookup_free_addresses(struct addrinfo *addresses);
