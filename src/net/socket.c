/* SPDX-License-Identifier: ISC */
/*
 * Socket options, and what socket addresses mean. Opens, closes and waits for nothing.
 */
#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum {
    KEEPALIVE_IDLE_S = 20,
    KEEPALIVE_INTERVAL_S = 5,
    KEEPALIVE_PROBES = 5,
    NOT_SENT_MAX = 32 * 1024,
    NOT_SENT_BULK_MAX = 128 * 1024,
    LOWER_EFFORT = 1 << 2, /* the DSCP, as it stands in a header */
};

static const uint8_t v4_mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static int set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

int socket_family(int fd)
{
    int family = 0;
    socklen_t size = sizeof family;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0)
        return -errno;
    return family;
}

/*
 * Probes find out whether an idle connection is alive. Data that stay unanswered are judged in
 * pulse.c.
 *
 * The kernel takes no more than the wire soon will: on a slow one a PING would stand in line behind
 * megabytes, and the link would be given up while they arrive.
 */
int socket_tune_tcp(int fd)
{
    static const struct {
        int level;
        int name;
        int value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
        {IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOT_SENT_MAX},
    };
    int r = 0;

    for (size_t i = 0; i < sizeof options / sizeof *options && r == 0; i++)
        r = set_option(fd, options[i].level, options[i].name, options[i].value);
    return r;
}

struct pulse_facts socket_pulse(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
        return (struct pulse_facts){0};
    return (struct pulse_facts){.waiting = info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0,
                                .unanswered = info.tcpi_retransmits > 0 || info.tcpi_probes > 0,
                                .silent_ms = info.tcpi_last_ack_recv,
                                .resend_ms = (info.tcpi_rto >> info.tcpi_backoff) / 1000,
                                .arrivals = info.tcpi_delivered};
}

void socket_tune_bulk(int fd, bool background)
{
    set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOT_SENT_BULK_MAX);
    if (background) { /* an IPv6 socket may carry IPv4 */
        set_option(fd, IPPROTO_IP, IP_TOS, LOWER_EFFORT);
        set_option(fd, IPPROTO_IPV6, IPV6_TCLASS, LOWER_EFFORT);
    }
}

bool socket_is_self_connected(int fd)
{
    union socket_address local = {0};
    union socket_address peer = {0};
    socklen_t local_size = sizeof local;
    socklen_t peer_size = sizeof peer;
    return getsockname(fd, &local.any, &local_size) == 0 &&
           getpeername(fd, &peer.any, &peer_size) == 0 && local_size == peer_size &&
           memcmp(&local, &peer, local_size) == 0;
}

bool socket_host(const union socket_address *address, uint8_t host[static ORIGIN_KEY_SIZE])
{
    if (address->any.sa_family == AF_INET) {
        memcpy(host, v4_mapped_prefix, sizeof v4_mapped_prefix);
        memcpy(host + sizeof v4_mapped_prefix, &address->v4.sin_addr, 4);
    } else if (address->any.sa_family == AF_INET6) {
        memcpy(host, &address->v6.sin6_addr, ORIGIN_KEY_SIZE);
    } else {
        return false;
    }
    return true;
}

/* Without its interface a link-local address leads nowhere. The number stands for lack of a name.
 */
static void append_zone(uint32_t interface, struct address *address)
{
    const size_t length = strlen(address->host);
    char name[IF_NAMESIZE];
    if (interface == 0)
        return;
    if (if_indextoname(interface, name) == NULL)
        snprintf(name, sizeof name, "%u", interface);
    snprintf(address->host + length, sizeof address->host - length, "%%%s", name);
}

void socket_origin(const union socket_address *from, struct origin *origin)
{
    struct address address = {0};
    memset(origin, 0, sizeof *origin);
    socket_host(from, origin->key);
    address_set_host(&address, origin->key);
    address.port = ntohs(from->any.sa_family == AF_INET ? from->v4.sin_port : from->v6.sin6_port);
    if (memcmp(origin->key, v4_mapped_prefix, sizeof v4_mapped_prefix) != 0) {
        if (IN6_IS_ADDR_LINKLOCAL(&from->v6.sin6_addr))
            append_zone(from->v6.sin6_scope_id, &address);
        memset(origin->key + 8, 0, sizeof origin->key - 8);
    }
    address_format(&address, origin->text);
}
