/* SPDX-License-Identifier: ISC */
/*
 * Network addresses as people write them: "host", "host:port", "192.0.2.1:8766",
 * "[2001:db8::1]:8766".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ADDRESS_PORT_DEFAULT = 8766,
    ADDRESS_HOST_MAX = 254,                      /* with the NUL */
    ADDRESS_TEXT_MAX = ADDRESS_HOST_MAX + 2 + 7, /* brackets, colon and port */
};

/* A host name or numeric address and a TCP port. Unresolved. */
struct address {
    char host[ADDRESS_HOST_MAX]; /* without brackets */
    uint16_t port;
};

/*
 * Reads an address; without a port it has ADDRESS_PORT_DEFAULT. A bare IPv6 address is accepted
 * without brackets when it has no port. Port 0 is accepted. 0 or -EINVAL.
 */
int address_parse(const char *text, struct address *address);

/* Whether the text of an address that address_parse() has read says a port. */
bool address_has_port(const char *text);

/* Whether both are the same text and port. */
bool address_equal(const struct address *a, const struct address *b);

/* Whether an address of the list is equal to it. */
bool address_listed(const struct address *list, unsigned count, const struct address *address);

/* Whether the host is an IP address and no name: what one can listen on. */
bool address_is_numeric(const struct address *address);

/*
 * Why nobody can dial this address, and what would do instead, as a text that goes on after "it";
 * NULL when somebody may.
 */
const char *address_flaw(const struct address *address);

/*
 * Whether it is an IP address of one machine somewhere in the internet: not of a private network,
 * a link, this machine, a group, or a form of IPv6 that hides one of IPv4.
 */
bool address_is_public(const struct address *address);

/* Makes the host the text of these 16 bytes; IPv4, which is ::ffff:a.b.c.d there, as a.b.c.d. */
void address_set_host(struct address *address, const uint8_t bytes[static 16]);

/* Writes "host:port", with brackets around IPv6. */
void address_format(const struct address *address, char text[static ADDRESS_TEXT_MAX]);
