/* SPDX-License-Identifier: ISC */
/*
 * Host and port as text. Recognises, never resolves.
 */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

static const char name_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

/* A host name or IPv4 address: letters, digits, '-' and '_' in labels that are not empty. */
static bool is_name(const char *host)
{
    return host[0] != '\0' && host[0] != '.' && host[0] != '-' && strstr(host, "..") == NULL &&
           strspn(host, name_characters) == strlen(host);
}

/* An IPv6 address, perhaps with the interface behind '%'. */
static bool is_ipv6(const char *host)
{
    char plain[ADDRESS_HOST_MAX];
    const char *scope = strchr(host, '%');
    size_t length = scope != NULL ? (size_t)(scope - host) : strlen(host);
    struct in6_addr ignored;
    if (scope != NULL && !is_name(scope + 1))
        return false;
    memcpy(plain, host, length);
    plain[length] = '\0';
    return inet_pton(AF_INET6, plain, &ignored) == 1;
}

static int set_host(struct address *address, const char *host, size_t length)
{
    if (length >= sizeof address->host)
        return -EINVAL;
    memcpy(address->host, host, length);
    address->host[length] = '\0';
    return 0;
}

/* Reads what follows the host: nothing, or a colon and the port. */
static int set_port(struct address *address, const char *text)
{
    uint64_t port = ADDRESS_PORT_DEFAULT;
    if (*text != '\0' && (*text != ':' || number_parse(text + 1, UINT16_MAX, &port) < 0))
        return -EINVAL;
    address->port = (uint16_t)port;
    return 0;
}

static int parse_bracketed(const char *text, struct address *address)
{
    const char *end = strchr(text, ']');
    if (end == NULL || set_host(address, text + 1, (size_t)(end - text - 1)) < 0 ||
        !is_ipv6(address->host))
        return -EINVAL;
    return set_port(address, end + 1);
}

int address_parse(const char *text, struct address *address)
{
    struct address parsed;
    const char *colon = strchr(text, ':');
    bool bare_ipv6 = colon != NULL && strchr(colon + 1, ':') != NULL;
    size_t length = bare_ipv6 || colon == NULL ? strlen(text) : (size_t)(colon - text);
    if (text[0] == '[') {
        if (parse_bracketed(text, &parsed) < 0)
            return -EINVAL;
    } else {
        if (set_host(&parsed, text, length) < 0 || set_port(&parsed, text + length) < 0)
            return -EINVAL;
        if (bare_ipv6 ? !is_ipv6(parsed.host) : !is_name(parsed.host))
            return -EINVAL;
    }
    *address = parsed;
    return 0;
}

bool address_has_port(const char *text)
{
    const char *bracket = strchr(text, ']'), *colon = strchr(text, ':');
    if (bracket != NULL)
        return bracket[1] == ':';
    return colon != NULL && strchr(colon + 1, ':') == NULL;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

bool address_listed(const struct address *list, unsigned count, const struct address *address)
{
    for (unsigned i = 0; i < count; i++)
        if (address_equal(&list[i], address))
            return true;
    return false;
}

bool address_is_numeric(const struct address *address)
{
    struct in_addr ignored;
    return inet_pton(AF_INET, address->host, &ignored) == 1 || is_ipv6(address->host);
}

static bool read_ipv4(const char *host, struct in_addr *parsed)
{
    /* Also the short forms that a resolver takes: "0" is 0.0.0.0. */
    return strspn(host, "0123456789.xX") == strlen(host) && inet_aton(host, parsed) == 1;
}

/* An IPv4 address may be written as one of IPv6. */
static bool stands_for_all(const char *host)
{
    struct in6_addr v6;
    struct in_addr v4;
    if (read_ipv4(host, &v4))
        return v4.s_addr == htonl(INADDR_ANY);
    if (inet_pton(AF_INET6, host, &v6) != 1)
        return false;
    return IN6_IS_ADDR_UNSPECIFIED(&v6) ||
           (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr32[3] == htonl(INADDR_ANY));
}

static bool is_for_many(const char *host)
{
    struct in6_addr v6;
    struct in_addr v4;
    if (read_ipv4(host, &v4))
        return IN_MULTICAST(ntohl(v4.s_addr)) || v4.s_addr == htonl(INADDR_BROADCAST);
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_MULTICAST(&v6);
}

const char *address_flaw(const struct address *address)
{
    if (address->port == 0)
        return "has no port; say the one that p2pchatd listens on there";
    if (stands_for_all(address->host))
        return "stands for every address of a machine; say one of them";
    if (is_for_many(address->host))
        return "is for many machines at once";
    return NULL;
}

/* What is no public address of IPv4. */
static const struct {
    uint32_t network;
    unsigned bits;
} special_ipv4[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* shared by the customers of a provider */
    {0x7f000000, 8},  /* this machine */
    {0xa9fe0000, 16}, /* this link */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* of protocols */
    {0xc0a80000, 16}, /* private */
    {0xe0000000, 4},  /* groups */
    {0xf0000000, 4},  /* reserved, and everybody */
};

static bool is_public_ipv4(uint32_t address)
{
    for (size_t i = 0; i < sizeof special_ipv4 / sizeof *special_ipv4; i++)
        if ((address ^ special_ipv4[i].network) >> (32 - special_ipv4[i].bits) == 0)
            return false;
    return true;
}

/* 2000::/3 is all that is given out; 2001::/32 (Teredo) and 2002::/16 (6to4) hide IPv4. */
static bool is_public_ipv6(const uint8_t address[static 16])
{
    static const uint8_t teredo[4] = {0x20, 0x01};
    return address[0] >> 5 == 1 && memcmp(address, teredo, sizeof teredo) != 0 &&
           (address[0] != 0x20 || address[1] != 0x02);
}

bool address_is_public(const struct address *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address->host, &v4) == 1)
        return is_public_ipv4(ntohl(v4.s_addr));
    return inet_pton(AF_INET6, address->host, &v6) == 1 && is_public_ipv6(v6.s6_addr);
}

void address_set_host(struct address *address, const uint8_t bytes[static 16])
{
    struct in6_addr host;
    memcpy(&host, bytes, sizeof host);
    if (IN6_IS_ADDR_V4MAPPED(&host))
        inet_ntop(AF_INET, bytes + 12, address->host, sizeof address->host);
    else
        inet_ntop(AF_INET6, bytes, address->host, sizeof address->host);
}

void address_format(const struct address *address, char text[static ADDRESS_TEXT_MAX])
{
    bool ipv6 = strchr(address->host, ':') != NULL;
    snprintf(text, ADDRESS_TEXT_MAX, "%s%s%s:%u", ipv6 ? "[" : "", address->host, ipv6 ? "]" : "",
             (unsigned)address->port);
}
