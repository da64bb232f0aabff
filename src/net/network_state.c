/* SPDX-License-Identifier: ISC */
/*
 * Messages of rtnetlink.
 */
#include "net/network_state.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Attributes behind the body of a message. */
struct attributes {
    const uint8_t *at;
    size_t left;
};

static struct attributes attributes_of(const struct nlmsghdr *header, size_t body_size)
{
    const size_t before = NLMSG_ALIGN(sizeof *header) + NLMSG_ALIGN(body_size);
    if (header->nlmsg_len < before)
        return (struct attributes){0};
    return (struct attributes){(const uint8_t *)header + before, header->nlmsg_len - before};
}

/* The next one; false at the end. */
static bool next(struct attributes *attributes, struct rtattr *attribute, const uint8_t **value)
{
    if (attributes->left < sizeof *attribute)
        return false;
    memcpy(attribute, attributes->at, sizeof *attribute);
    if (attribute->rta_len < sizeof *attribute || attribute->rta_len > attributes->left)
        return false;
    *value = attributes->at + sizeof *attribute;
    size_t step = RTA_ALIGN(attribute->rta_len);
    step = step < attributes->left ? step : attributes->left;
    attributes->at += step;
    attributes->left -= step;
    return true;
}

/* An address of a family as 16 bytes; false if it has another size. */
static bool copy_address(uint8_t out[static 16], int family, const struct rtattr *attribute,
                         const uint8_t *value)
{
    static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};
    const size_t size = attribute->rta_len - sizeof *attribute;
    if (size != (family == AF_INET ? 4 : 16))
        return false;
    memcpy(out, v4_mapped, sizeof v4_mapped);
    memcpy(out + 16 - size, value, size);
    return true;
}

static void add_address(struct network_state *state, const uint8_t address[static 16])
{
    if (state->count == NETWORK_ADDRESSES_MAX) {
        state->more = true;
        return;
    }
    memcpy(state->addresses[state->count++], address, 16);
}

/* The local one if there is a pair of them, as on links from point to point. */
static void read_address(struct network_state *state, const struct nlmsghdr *header)
{
    const struct ifaddrmsg *body = NLMSG_DATA(header);
    struct attributes attributes = attributes_of(header, sizeof *body);
    struct rtattr attribute;
    const uint8_t *value;
    uint8_t address[16];
    bool local = false, found = false;
    while (next(&attributes, &attribute, &value)) {
        bool is_local = attribute.rta_type == IFA_LOCAL;
        if (!is_local && (attribute.rta_type != IFA_ADDRESS || local))
            continue;
        if (copy_address(address, body->ifa_family, &attribute, value)) {
            local |= is_local;
            found = true;
        }
    }
    if (found && (body->ifa_flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) == 0)
        add_address(state, address);
}

static void read_route(struct network_state *state, const struct nlmsghdr *header)
{
    const struct rtmsg *body = NLMSG_DATA(header);
    struct attributes attributes = attributes_of(header, sizeof *body);
    struct network_route *route = &state->routes[body->rtm_family == AF_INET6];
    struct rtattr attribute;
    const uint8_t *value;
    while (next(&attributes, &attribute, &value)) {
        if (attribute.rta_type == RTA_GATEWAY)
            copy_address(route->gateway, body->rtm_family, &attribute, value);
        else if (attribute.rta_type == RTA_PREFSRC)
            copy_address(route->source, body->rtm_family, &attribute, value);
        else if (attribute.rta_type == RTA_OIF && attribute.rta_len == RTA_LENGTH(4))
            memcpy(&route->interface, value, 4);
    }
}

/* Whether there is room for a body of this size. */
static bool holds(const struct nlmsghdr *header, size_t size)
{
    return header->nlmsg_len >= NLMSG_LENGTH(size);
}

bool network_state_read(struct network_state *state, const uint8_t *messages, size_t size)
{
    while (size >= sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *header = (const void *)messages;
        if (header->nlmsg_len < sizeof *header || header->nlmsg_len > size)
            return true;
        if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR)
            return true;
        if (header->nlmsg_type == RTM_NEWADDR && holds(header, sizeof(struct ifaddrmsg)))
            read_address(state, header);
        if (header->nlmsg_type == RTM_NEWROUTE && holds(header, sizeof(struct rtmsg)))
            read_route(state, header);
        size_t step = NLMSG_ALIGN(header->nlmsg_len);
        if (step >= size)
            return false;
        messages += step;
        size -= step;
    }
    return false;
}

static bool is_listed(const struct network_state *state, const uint8_t address[static 16])
{
    for (unsigned i = 0; i < state->count; i++)
        if (memcmp(state->addresses[i], address, 16) == 0)
            return true;
    return false;
}

static bool contains(const struct network_state *state, const struct network_state *other)
{
    for (unsigned i = 0; i < other->count; i++)
        if (!is_listed(state, other->addresses[i]))
            return false;
    return true;
}

unsigned network_state_compare(const struct network_state *old, const struct network_state *state)
{
    bool same = contains(old, state) && contains(state, old);
    bool same_routes = memcmp(old->routes, state->routes, sizeof old->routes) == 0;
    return (same ? 0 : NETWATCH_ADDRESSES) | (same_routes ? 0 : NETWATCH_ROUTES);
}

bool network_state_has(const struct network_state *state, const uint8_t address[static 16])
{
    static const uint8_t v4_loopback[13] = {[10] = 0xff, [11] = 0xff, [12] = 127};
    static const uint8_t v6_loopback[16] = {[15] = 1};
    return state->more || memcmp(address, v4_loopback, sizeof v4_loopback) == 0 ||
           memcmp(address, v6_loopback, sizeof v6_loopback) == 0 || is_listed(state, address);
}
