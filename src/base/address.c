/*
 * Host and port as text. Recognises, never resolves.
 */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

static const char NAME_CHARACTERS[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

/* A host name or IPv4 address: letters, digits, '-' and '_' in labels that are not empty. */
static bool is_name(const char *host)
{
    return host[0] != '\0' && host[0] != '.' && host[0] != '-' && strstr(host, "..") == NULL &&
           strspn(host, NAME_CHARACTERS) == strlen(host);
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

bool address_is_numeric(const struct address *address)
{
    struct in_addr ignored;

    return inet_pton(AF_INET, address->host, &ignored) == 1 || is_ipv6(address->host);
}

void address_format(const struct address *address, char text[static ADDRESS_TEXT_MAX])
{
    bool ipv6 = strchr(address->host, ':') != NULL;

    snprintf(text, ADDRESS_TEXT_MAX, "%s%s%s:%u", ipv6 ? "[" : "", address->host, ipv6 ? "]" : "",
             (unsigned)address->port);
}
