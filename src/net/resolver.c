/* SPDX-License-Identifier: ISC */
/*
 * Name look-ups over evdns. One evdns_base per look-up: changes of resolv.conf count at once, and
 * nothing stays open in between.
 *
 * evdns calls back from its own depths and, when cancelled, only later. So a look-up always ends in
 * its `finish` timer, outside evdns, and a cancelled one lives on without an owner until then.
 */
#define LOG_COMPONENT "resolver"
#include "net/resolver.h"

#include <errno.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "net/libevent.h"

#define TRY_S "2"
enum { TRY_MS = 2000 }; /* the same */

struct lookup {
    struct loop *loop;
    struct evdns_base *dns;
    struct evdns_getaddrinfo_request *request; /* NULL once it has called back */
    struct evdns_request *inquiry;             /* why that failed, likewise */
    char host[ADDRESS_HOST_MAX];
    int family;
    uint64_t started_ms;
    struct timer *finish;
    struct addrinfo *addresses;
    const char *error;
    lookup_done *done; /* NULL once cancelled */
    void *context;
};

static void lookup_free(struct lookup *lookup)
{
    if (lookup->dns != NULL)
        evdns_base_free(lookup->dns, 0);
    timer_free(lookup->finish);
    lookup_free_addresses(lookup->addresses);
    free(lookup);
}

DEFINE_CLEANUP(struct lookup *, lookup_cleanup, lookup_free)

static void on_evdns_log(int is_warning, const char *message)
{
    (void)is_warning;
    log_debug("%s", message);
}

/* --- the end of a look-up --------------------------------------------------------------------- */

/* evdns asks /etc/hosts and DNS, and none of the other sources that nsswitch.conf(5) may name. */
static const char *error_text(int error, bool local)
{
    switch (error) {
    case 0: /* known, but without addresses */
    case EVUTIL_EAI_NONAME:
    case EVUTIL_EAI_NODATA:
        return local ? "host not found in /etc/hosts or DNS, and .local names are not asked for by "
                       "mDNS; use its IP address"
                     : "host not found";
    case EVUTIL_EAI_MEMORY:
        return "out of memory";
    default:
        return "no answer from the name server";
    }
}

static void on_finish(void *context)
{
    struct lookup *lookup = context;
    lookup_done *done = lookup->done;
    void *done_context = lookup->context;
    struct addrinfo *addresses = STEAL(lookup->addresses);
    const char *error = lookup->error;
    if (done == NULL)
        loop_release(lookup->loop);
    lookup_free(lookup);
    if (done == NULL)
        lookup_free_addresses(addresses);
    else
        done(done_context, addresses, error);
}

/* Whether it is a name of mDNS (RFC 6762, section 3). */
static bool is_local(const char *host)
{
    static const char suffix[] = ".local";
    const size_t size = strlen(host), end = sizeof suffix - 1;
    return size > end && strcasecmp(host + size - end, suffix) == 0;
}

static void on_reason(int r, char type, int count, int ttl, void *addresses, void *argument)
{
    struct lookup *lookup = argument;
    (void)type, (void)count, (void)ttl, (void)addresses;
    lookup->inquiry = NULL;
    if (r == DNS_ERR_TRUNCATED)
        lookup->error = "the answer of the name server is too long for UDP, by which alone it is "
                        "asked; use an IP address";
    timer_arm_at(lookup->finish, 0);
}

/* evdns does not ask by TCP, and of a look-up it does not say that TCP would be needed; but of a
 * single request it does. False if that can't be asked. */
static bool ask_why(struct lookup *lookup)
{
    struct evdns_base *dns = lookup->dns;
    lookup->inquiry = lookup->family == AF_INET
                          ? evdns_base_resolve_ipv4(dns, lookup->host, 0, on_reason, lookup)
                          : evdns_base_resolve_ipv6(dns, lookup->host, 0, on_reason, lookup);
    return lookup->inquiry != NULL;
}

static void on_answer(int error, struct evutil_addrinfo *addresses, void *argument)
{
    struct lookup *lookup = argument;
    lookup->request = NULL;
    lookup->addresses = addresses;
    if (addresses == NULL && lookup->error == NULL) {
        lookup->error = error_text(error, is_local(lookup->host));
        /* Before the first try has timed out it was an answer. */
        if (error == EVUTIL_EAI_FAIL && lookup->done != NULL &&
            loop_clock(lookup->loop) - lookup->started_ms < TRY_MS && ask_why(lookup))
            return;
    }
    timer_arm_at(lookup->finish, 0);
}

/* --- its start -------------------------------------------------------------------------------- */

/*
 * Two seconds and four tries fit into the patience of a caller. A name server that times out is
 * never given up, because evdns would probe it with look-ups of its own.
 */
static int configure(struct evdns_base *dns)
{
    static const char *const options[][2] = {
        {"timeout:", TRY_S},
        {"attempts:", "4"},
        {"max-timeouts:", "255"},
    };
    const int what = DNS_OPTIONS_ALL | DNS_OPTION_NAMESERVERS_NO_DEFAULT;
    /* It fails without name servers, but has read the hosts by then. */
    evdns_base_resolv_conf_parse(dns, what, "/etc/resolv.conf");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (evdns_base_set_option(dns, options[i][0], options[i][1]) != 0)
            return -ENOMEM;
    }
    return 0;
}

static void ask(struct lookup *lookup, uint16_t port)
{
    const struct evutil_addrinfo hints = {.ai_family = lookup->family, .ai_socktype = SOCK_STREAM};
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    lookup->request =
        evdns_getaddrinfo(lookup->dns, lookup->host, service, &hints, on_answer, lookup);
    if (lookup->request != NULL && evdns_base_count_nameservers(lookup->dns) == 0) {
        lookup->error = "no name server";
        evdns_getaddrinfo_cancel(lookup->request);
    }
}

int lookup_start(struct lookup **result, struct loop *loop, const struct address *address,
                 int family, lookup_done *done, void *context)
{
    CLEANUP(lookup_cleanup) struct lookup *lookup = calloc(1, sizeof *lookup);
    int r;
    if (lookup == NULL)
        return -ENOMEM;
    lookup->loop = loop;
    lookup->done = done;
    lookup->context = context;
    r = timer_new(&lookup->finish, loop, on_finish, lookup);
    if (r < 0)
        return r;
    evdns_set_log_fn(on_evdns_log);
    lookup->dns = evdns_base_new(loop_base(loop), 0);
    if (lookup->dns == NULL)
        return -ENOMEM;
    r = configure(lookup->dns);
    if (r < 0)
        return r;
    memcpy(lookup->host, address->host, sizeof lookup->host);
    lookup->family = family;
    lookup->started_ms = loop_clock(loop);
    ask(lookup, address->port);
    *result = STEAL(lookup);
    return 0;
}

void lookup_cancel(struct lookup *lookup)
{
    if (lookup == NULL)
        return;
    if (lookup->request == NULL && lookup->inquiry == NULL) {
        lookup_free(lookup);
        return;
    }
    lookup->done = NULL;
    loop_hold(lookup->loop);
    if (lookup->request != NULL)
        evdns_getaddrinfo_cancel(lookup->request);
    else
        evdns_cancel_request(lookup->dns, lookup->inquiry);
}

/* --- addresses -------------------------------------------------------------------------------- */

struct addrinfo *lookup_numeric(const struct address *address)
{
    const struct evutil_addrinfo hints = {
        .ai_flags = EVUTIL_AI_NUMERICHOST | EVUTIL_AI_NUMERICSERV,
        .ai_socktype = SOCK_STREAM,
    };
    struct evutil_addrinfo *found = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)address->port);
    return evutil_getaddrinfo(address->host, service, &hints, &found) == 0 ? found : NULL;
}

void lookup_free_addresses(struct addrinfo *addresses)
{
    if (addresses != NULL)
        evutil_freeaddrinfo(addresses);
}
