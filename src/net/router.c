/* SPDX-License-Identifier: ISC */
/*
 * The sockets that a router is spoken to with.
 *
 * They are not connected: an answer comes to the address that the request came from, which is
 * chosen with each datagram, because nothing can be bound any more once the daemon is confined.
 */
#define LOG_COMPONENT "router"
#include "net/router.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "net/libevent.h"
#include "net/pcp_packet.h"
#include "net/socket.h"

/* One of the sockets. */
struct ear {
    struct router *router;
    int fd; /* -1: this machine has none */
    struct event *event;
    uint8_t gateway[16]; /* that was written to; all zero for none yet */
};

enum { IPV4, IPV6, ANNOUNCEMENTS, EARS };

struct router {
    struct ear ears[EARS];
    const struct router_events *events;
    void *context;
};

/* --- hearing ---------------------------------------------------------------------------------- */

/* An error that came back for something we sent; else it would be told again and again. */
static void drain_errors(int fd)
{
    uint8_t control[512];
    struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
    while (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0)
        message.msg_controllen = sizeof control;
}

/* Whether it came from the gateway, and from the port where that answers. */
static bool is_known(const struct router *router, const struct ear *ear,
                     const union socket_address *from)
{
    const bool ipv6 = ear == &router->ears[IPV6];
    const uint8_t *gateway = ipv6 ? ear->gateway : router->ears[IPV4].gateway;
    const in_port_t port = ipv6 ? from->v6.sin6_port : from->v4.sin_port;
    uint8_t host[ORIGIN_KEY_SIZE];
    if (!socket_host(from, host) || memcmp(host, gateway, sizeof host) != 0)
        return false;
    return ear == &router->ears[ANNOUNCEMENTS] || port == htons(PCP_PORT);
}

static void hear(struct router *router, const struct ear *ear, struct span datagram)
{
    if (ear == &router->ears[ANNOUNCEMENTS])
        router->events->announced(router->context);
    else
        router->events->answer(router->context, ear == &router->ears[IPV6], datagram);
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    struct ear *ear = argument;
    struct router *router = ear->router;
    uint8_t datagram[PCP_ANSWER_MAX + 1];
    bool refused = false;
    (void)what;
    for (;;) {
        union socket_address from = {0};
        socklen_t size = sizeof from;
        ssize_t got = recvfrom(fd, datagram, sizeof datagram, MSG_DONTWAIT, &from.any, &size);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        refused |= got < 0 && errno == ECONNREFUSED;
        if (got < 0)
            drain_errors(fd);
        else if (router->events != NULL && is_known(router, ear, &from))
            hear(router, ear, SPAN(datagram, (size_t)got));
    }
    if (refused && router->events != NULL)
        router->events->refused(router->context, ear == &router->ears[IPV6]);
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Where to, as the socket's family writes it. */
static socklen_t write_target(union socket_address *target, bool ipv6,
                              const struct network_route *route)
{
    *target = (union socket_address){0};
    if (ipv6) {
        target->v6.sin6_family = AF_INET6;
        target->v6.sin6_port = htons(PCP_PORT);
        memcpy(&target->v6.sin6_addr, route->gateway, 16);
        if (IN6_IS_ADDR_LINKLOCAL(&target->v6.sin6_addr))
            target->v6.sin6_scope_id = route->interface;
        return sizeof target->v6;
    }
    target->v4.sin_family = AF_INET;
    target->v4.sin_port = htons(PCP_PORT);
    memcpy(&target->v4.sin_addr, route->gateway + 12, 4);
    return sizeof target->v4;
}

/* Says in a control message which of our addresses a datagram comes from. */
static size_t write_source(struct cmsghdr *header, bool ipv6, const struct network_route *route)
{
    struct in6_pktinfo v6 = {.ipi6_ifindex = route->interface};
    struct in_pktinfo v4 = {0};
    memcpy(&v6.ipi6_addr, route->source, 16);
    memcpy(&v4.ipi_spec_dst, route->source + 12, 4);
    const size_t size = ipv6 ? sizeof v6 : sizeof v4;
    header->cmsg_level = ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
    header->cmsg_type = ipv6 ? IPV6_PKTINFO : IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), ipv6 ? (const void *)&v6 : (const void *)&v4, size);
    return CMSG_SPACE(size);
}

int router_send(struct router *router, const struct network_route *route, struct span datagram)
{
    union socket_address target;
    union {
        struct cmsghdr header;
        uint8_t room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } control = {0};
    struct in6_addr host;
    memcpy(&host, route->gateway, sizeof host);
    const bool ipv6 = !IN6_IS_ADDR_V4MAPPED(&host);
    struct ear *ear = &router->ears[ipv6 ? IPV6 : IPV4];
    if (ear->fd < 0)
        return -EAFNOSUPPORT;
    memcpy(ear->gateway, route->gateway, sizeof ear->gateway);
    struct iovec part = {.iov_base = (void *)(uintptr_t)datagram.data, .iov_len = datagram.size};
    struct msghdr message = {.msg_name = &target,
                             .msg_namelen = write_target(&target, ipv6, route),
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = write_source(&control.header, ipv6, route)};
    return sendmsg(ear->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* --- life ------------------------------------------------------------------------------------- */

static int open_socket(int family)
{
    const int on = 1;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* Without this nothing says that nobody is there. */
    (void)setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
                     family == AF_INET ? IP_RECVERR : IPV6_RECVERR, &on, sizeof on);
    return fd;
}

/* Every machine is in the group that routers speak to; other programs here may listen as well. */
static int open_announcements(void)
{
    const struct sockaddr_in all = {.sin_family = AF_INET, .sin_port = htons(PCP_CLIENT_PORT)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (const struct sockaddr *)&all, sizeof all) == 0)
        return fd;
    log_notice("a restart of the router is not noticed at once: port %d: %s", PCP_CLIENT_PORT,
               strerror(errno));
    close(fd);
    return -1;
}

static int listen_with(struct ear *ear, struct loop *loop, int fd)
{
    ear->fd = fd;
    if (fd < 0)
        return 0;
    ear->event = event_new(loop_base(loop), fd, EV_READ | EV_PERSIST, on_readable, ear);
    return ear->event != NULL && event_add(ear->event, NULL) == 0 ? 0 : -ENOMEM;
}

DEFINE_CLEANUP(struct router *, router_cleanup, router_free)

int router_new(struct router **result, struct loop *loop)
{
    CLEANUP(router_cleanup) struct router *router = calloc(1, sizeof *router);
    if (router == NULL)
        return -ENOMEM;
    for (int i = 0; i < EARS; i++)
        router->ears[i] = (struct ear){.router = router, .fd = -1};
    int r = listen_with(&router->ears[IPV4], loop, open_socket(AF_INET));
    if (r == 0)
        r = listen_with(&router->ears[IPV6], loop, open_socket(AF_INET6));
    if (r == 0)
        r = listen_with(&router->ears[ANNOUNCEMENTS], loop, open_announcements());
    if (r == 0)
        *result = STEAL(router);
    return r;
}

void router_free(struct router *router)
{
    if (router == NULL)
        return;
    for (int i = 0; i < EARS; i++) {
        if (router->ears[i].event != NULL)
            event_free(router->ears[i].event);
        if (router->ears[i].fd >= 0)
            close(router->ears[i].fd);
    }
    free(router);
}

void router_start(struct router *router, const struct router_events *events, void *context)
{
    router->events = events;
    router->context = context;
}
