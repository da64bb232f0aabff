/* SPDX-License-Identifier: ISC */
/*
 * The addresses by which this machine reaches others.
 *
 * A UDP socket that is connected has chosen its route and with it our address. Unlike the list of
 * interfaces, this leaves out those that lead nowhere, and needs no netlink socket.
 */
#include "net/local_address.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"

enum { PREFER_PUBLIC = 0x0002 }; /* IPV6_PREFER_SRC_PUBLIC of linux/in6.h */

/* Addresses for documentation stand for the internet; then come the private networks. */
static const char internet_ipv6[] = "2001:db8::1";
static const char *const destinations[] = {
    "192.0.2.1", internet_ipv6, "10.0.0.1", "172.16.0.1", "192.168.0.1", "fd00::1",
};

static bool read_destination(const char *text, union socket_address *address, socklen_t *size)
{
    *address = (union socket_address){0};
    if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
        address->any.sa_family = AF_INET;
        address->v4.sin_port = htons(ADDRESS_PORT_DEFAULT);
        *size = sizeof address->v4;
        return true;
    }
    address->any.sa_family = AF_INET6;
    address->v6.sin6_port = htons(ADDRESS_PORT_DEFAULT);
    *size = sizeof address->v6;
    return inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1;
}

/* Replaces a destination by the address that our packets to it would come from. */
static bool find_source(union socket_address *address, socklen_t size)
{
    int fd = socket(address->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    /* One that lasts (RFC 5014): a temporary address is gone tomorrow. */
    const int preference = PREFER_PUBLIC;
    if (address->any.sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, &preference, sizeof preference);
    bool found =
        connect(fd, &address->any, size) == 0 && getsockname(fd, &address->any, &size) == 0;
    close(fd);
    return found;
}

static bool is_reachable(const union socket_address *address)
{
    if (address->any.sa_family == AF_INET6)
        return !IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr) &&
               !IN6_IS_ADDR_LINKLOCAL(&address->v6.sin6_addr);
    uint32_t v4 = ntohl(address->v4.sin_addr.s_addr);
    return v4 >> 24 != 127 && v4 >> 16 != 0xa9fe; /* 127.0.0.0/8, 169.254.0.0/16 */
}

static bool is_listed(const struct address *addresses, unsigned count, const char *host)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(addresses[i].host, host) == 0)
            return true;
    return false;
}

unsigned local_address_list(struct address *addresses, unsigned max, uint16_t port, bool ipv6)
{
    unsigned count = 0;
    for (size_t i = 0; i < sizeof destinations / sizeof *destinations && count < max; i++) {
        union socket_address address;
        struct address *next = &addresses[count];
        uint8_t host[ORIGIN_KEY_SIZE];
        socklen_t size;
        if (!read_destination(destinations[i], &address, &size) ||
            (address.any.sa_family == AF_INET6 && !ipv6) || !find_source(&address, size) ||
            !is_reachable(&address) || !socket_host(&address, host))
            continue;
        address_set_host(next, host);
        next->port = port;
        count += !is_listed(addresses, count, next->host);
    }
    return count;
}

bool local_address_lasting(uint8_t address[static 16])
{
    union socket_address source;
    socklen_t size;
    bool found = read_destination(internet_ipv6, &source, &size) && find_source(&source, size) &&
                 is_reachable(&source);
    if (found)
        memcpy(address, &source.v6.sin6_addr, 16);
    return found;
}

bool local_address_has_ipv6(void)
{
    uint8_t address[16];
    return local_address_lasting(address);
}

bool local_address_is_any(const char *host, bool *ipv6)
{
    *ipv6 = strcmp(host, "::") == 0;
    return *ipv6 || strcmp(host, "0.0.0.0") == 0;
}
