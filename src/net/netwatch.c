/* SPDX-License-Identifier: ISC */
/*
 * Watching the network: news from one netlink socket, and the state of things by asking on another.
 */
#define LOG_COMPONENT "netwatch"
#include "net/netwatch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/libevent.h"
#include "net/network_state.h"

/* More than a message of rtnetlink about a route or an address ever has. */
enum { ANSWER_MAX = 32 * 1024, RESUMED_MS = 1000, MINUTE_MS = 60 * 1000 };

struct netwatch {
    struct loop *loop;
    int news; /* -1: changes are not noticed */
    int ask;
    int clock; /* timerfd; -1 for none */
    struct event *on_news;
    struct event *on_clock;
    struct timer *quiet;
    bool due;
    uint64_t first_ms;                         /* of the news that are not yet reported */
    uint64_t reports_ms[NETWATCH_REPORTS_MAX]; /* a ring of the latest */
    unsigned next_report;
    struct network_state state;
    uint64_t suspended_ms; /* in all, as far as it was reported */
    int64_t wall_offset;   /* of the wall clock to the monotonic one */
    struct netwatch_news pending;
    const char *flaw;
    netwatch_report *report;
    void *context;
};

/* --- asking ----------------------------------------------------------------------------------- */

/* Sends a request and reads what comes of it; the kernel answers before it returns from sending. */
static int ask(struct netwatch *netwatch, struct nlmsghdr *request, struct network_state *state)
{
    static _Alignas(struct nlmsghdr) uint8_t answer[ANSWER_MAX];
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (sendto(netwatch->ask, request, request->nlmsg_len, MSG_DONTWAIT,
               (const struct sockaddr *)&kernel, sizeof kernel) < 0)
        return -errno;
    for (;;) {
        ssize_t size = recv(netwatch->ask, answer, sizeof answer, MSG_DONTWAIT);
        if (size < 0)
            return -errno;
        if (network_state_read(state, answer, (size_t)size))
            return 0;
    }
}

static int ask_addresses(struct netwatch *netwatch, struct network_state *state)
{
    struct {
        struct nlmsghdr header;
        struct ifaddrmsg body;
    } request = {.header = {.nlmsg_len = sizeof request,
                            .nlmsg_type = RTM_GETADDR,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
    return ask(netwatch, &request.header, state);
}

/* Addresses for documentation stand for the internet. */
static int ask_route(struct netwatch *netwatch, int family, const char *destination,
                     struct network_state *state)
{
    struct {
        struct nlmsghdr header;
        struct rtmsg body;
        struct rtattr attribute;
        uint8_t address[16];
    } request = {.header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK}};
    const size_t size = family == AF_INET ? 4 : 16;
    request.body =
        (struct rtmsg){.rtm_family = (uint8_t)family, .rtm_dst_len = (uint8_t)(8 * size)};
    request.attribute = (struct rtattr){.rta_len = (uint16_t)RTA_LENGTH(size), .rta_type = RTA_DST};
    request.header.nlmsg_len = (uint32_t)(sizeof request - 16 + size);
    inet_pton(family, destination, request.address);
    return ask(netwatch, &request.header, state);
}

static int look(struct netwatch *netwatch, struct network_state *state)
{
    *state = (struct network_state){0};
    int r = ask_addresses(netwatch, state);
    if (r == 0)
        r = ask_route(netwatch, AF_INET, "198.51.100.1", state);
    if (r == 0)
        r = ask_route(netwatch, AF_INET6, "2001:db8::1", state);
    return r == -EAFNOSUPPORT ? 0 : r;
}

/* --- reports ---------------------------------------------------------------------------------- */

static uint64_t next_allowed_ms(const struct netwatch *netwatch, uint64_t now_ms)
{
    unsigned latest = (netwatch->next_report + NETWATCH_REPORTS_MAX - 1) % NETWATCH_REPORTS_MAX;
    uint64_t oldest_ms = netwatch->reports_ms[netwatch->next_report];
    bool busy = oldest_ms != 0 && now_ms - oldest_ms < MINUTE_MS;
    uint64_t latest_ms = netwatch->reports_ms[latest];
    return latest_ms == 0 ? 0 : latest_ms + (busy ? NETWATCH_CALM_MS : NETWATCH_GAP_MS);
}

/* Something may have changed: waits for quiet. */
static void touch(struct netwatch *netwatch)
{
    uint64_t now_ms = loop_now(netwatch->loop);
    if (!netwatch->due)
        netwatch->first_ms = now_ms;
    netwatch->due = true;
    uint64_t at_ms = now_ms + NETWATCH_QUIET_MS;
    uint64_t limit_ms = netwatch->first_ms + NETWATCH_BURST_MS;
    uint64_t allowed_ms = next_allowed_ms(netwatch, now_ms);
    at_ms = at_ms < limit_ms ? at_ms : limit_ms;
    timer_arm_at(netwatch->quiet, at_ms > allowed_ms ? at_ms : allowed_ms);
}

static void on_quiet(void *context)
{
    struct netwatch *netwatch = context;
    struct network_state state = netwatch->state;
    struct netwatch_news news = netwatch->pending;
    netwatch->due = false;
    netwatch->pending = (struct netwatch_news){0};
    int r = netwatch->news >= 0 ? look(netwatch, &state) : 0;
    if (r < 0)
        log_warning("can't ask for this machine's addresses: %s", strerror(-r));
    else
        news.changes |= network_state_compare(&netwatch->state, &state);
    if (news.changes == 0)
        return;
    if (r == 0)
        netwatch->state = state;
    netwatch->reports_ms[netwatch->next_report] = loop_now(netwatch->loop);
    netwatch->next_report = (netwatch->next_report + 1) % NETWATCH_REPORTS_MAX;
    if (netwatch->report != NULL)
        netwatch->report(netwatch->context, &news);
}

/* --- news ------------------------------------------------------------------------------------- */

/* What it says does not matter: an overflow (ENOBUFS) is news as well. */
static void on_news(evutil_socket_t fd, short what, void *argument)
{
    uint8_t message[4096];
    (void)what;
    while (recv(fd, message, sizeof message, MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
        ;
    touch(argument);
}

static int64_t read_wall_offset(void)
{
    return (int64_t)(clock_wall_ms() - clock_monotonic_ms());
}

/* For ever, unless the clock is set or goes on after a suspend. */
static int arm_clock(int fd)
{
    const struct itimerspec never = {.it_value.tv_sec = INT32_MAX};
    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

static void on_clock(evutil_socket_t fd, short what, void *argument)
{
    struct netwatch *netwatch = argument;
    uint64_t expirations, suspended_ms = clock_suspended_ms();
    int64_t offset = read_wall_offset(), step = offset - netwatch->wall_offset;
    (void)what;
    (void)!read(fd, &expirations, sizeof expirations);
    if (arm_clock(fd) < 0)
        event_del(netwatch->on_clock);
    if (suspended_ms - netwatch->suspended_ms >= RESUMED_MS) {
        netwatch->pending.changes |= NETWATCH_RESUMED;
        netwatch->pending.suspended_ms += suspended_ms - netwatch->suspended_ms;
    } else if (step >= NETWATCH_STEP_MS || step <= -NETWATCH_STEP_MS) {
        netwatch->pending.changes |= NETWATCH_CLOCK;
    }
    netwatch->suspended_ms = suspended_ms;
    netwatch->wall_offset = offset;
    if (netwatch->pending.changes != 0)
        touch(netwatch);
}

/* --- life ------------------------------------------------------------------------------------- */

/*
 * Of routes only the default ones are of interest: a router with a changing table of thousands must
 * not wake us.
 */
static int attach_filter(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4), /* the type, in the machine's byte order */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 1, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 17), /* the length of the destination's prefix */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static int open_netlink(unsigned groups)
{
    const struct sockaddr_nl own = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    if ((groups != 0 && attach_filter(fd) < 0) ||
        bind(fd, (const struct sockaddr *)&own, sizeof own) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static int watch(struct netwatch *netwatch, int fd, event_callback_fn callback,
                 struct event **event)
{
    *event = event_new(loop_base(netwatch->loop), fd, EV_READ | EV_PERSIST, callback, netwatch);
    return *event != NULL && event_add(*event, NULL) == 0 ? 0 : -ENOMEM;
}

/* Whatever forbids it, be it the kernel or a sandbox: all goes on as without. */
static int open_news(struct netwatch *netwatch)
{
    netwatch->ask = open_netlink(0);
    netwatch->news = open_netlink(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                                  RTMGRP_IPV6_ROUTE);
    int error = netwatch->ask < 0 ? netwatch->ask : netwatch->news < 0 ? netwatch->news : 0;
    if (error == 0)
        error = look(netwatch, &netwatch->state);
    if (error == 0)
        return watch(netwatch, netwatch->news, on_news, &netwatch->on_news);
    log_notice("changes of the network are not noticed: netlink: %s", strerror(-error));
    netwatch->flaw = strerror(-error);
    netwatch->state = (struct network_state){0};
    if (netwatch->news >= 0)
        close(netwatch->news);
    netwatch->news = -1;
    return 0;
}

static int open_clock(struct netwatch *netwatch)
{
    netwatch->clock = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (netwatch->clock < 0 || arm_clock(netwatch->clock) < 0)
        return 0;
    return watch(netwatch, netwatch->clock, on_clock, &netwatch->on_clock);
}

DEFINE_CLEANUP(struct netwatch *, netwatch_cleanup, netwatch_free)

int netwatch_new(struct netwatch **result, struct loop *loop)
{
    CLEANUP(netwatch_cleanup) struct netwatch *netwatch = calloc(1, sizeof *netwatch);
    if (netwatch == NULL)
        return -ENOMEM;
    netwatch->loop = loop;
    netwatch->news = netwatch->ask = netwatch->clock = -1;
    netwatch->suspended_ms = clock_suspended_ms();
    netwatch->wall_offset = read_wall_offset();
    int r = timer_new(&netwatch->quiet, loop, on_quiet, netwatch);
    if (r == 0)
        r = open_news(netwatch);
    if (r == 0)
        r = open_clock(netwatch);
    if (r < 0)
        return r;
    *result = STEAL(netwatch);
    return 0;
}

void netwatch_free(struct netwatch *netwatch)
{
    if (netwatch == NULL)
        return;
    const int fds[] = {netwatch->news, netwatch->ask, netwatch->clock};
    if (netwatch->on_news != NULL)
        event_free(netwatch->on_news);
    if (netwatch->on_clock != NULL)
        event_free(netwatch->on_clock);
    timer_free(netwatch->quiet);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(netwatch);
}

void netwatch_start(struct netwatch *netwatch, netwatch_report *report, void *context)
{
    netwatch->report = report;
    netwatch->context = context;
}

const char *netwatch_flaw(const struct netwatch *netwatch)
{
    return netwatch->flaw;
}

bool netwatch_has(const struct netwatch *netwatch, const uint8_t address[static 16])
{
    return netwatch->news < 0 || network_state_has(&netwatch->state, address);
}

struct network_route netwatch_route(const struct netwatch *netwatch, bool ipv6)
{
    const struct network_route *route = &netwatch->state.routes[ipv6];
    const bool routed =
        netwatch->news >= 0 && !bytes_all_zero(route->gateway, sizeof route->gateway);
    return routed ? *route : (struct network_route){0};
}
