/* SPDX-License-Identifier: ISC */
/*
 * Asking the router, for each port and family.
 */
#define LOG_COMPONENT "portmap"
#include "core/portmap.h"

#include <string.h>

#include "base/log.h"
#include "crypto/random.h"
#include "net/local_address.h"

static uint64_t now(const struct portmap *portmap)
{
    return loop_now(portmap->runtime->loop);
}

bool portmap_external(const struct mapping *mapping, struct address *address)
{
    *address = (struct address){0};
    if (!mapping->held)
        return false;
    address_set_host(address, mapping->wish.external);
    address->port = mapping->wish.external_port;
    return true;
}

bool portmap_gateway(const struct mapping *mapping, struct address *gateway)
{
    *gateway = (struct address){0};
    address_set_host(gateway, mapping->route.gateway);
    return mapping->phase != MAPPING_OFF;
}

/* --- what came of it -------------------------------------------------------------------------- */

static void say(const struct portmap_row *row, const struct address *external)
{
    struct address gateway;
    char text[ADDRESS_TEXT_MAX];
    portmap_gateway(&row->mapping, &gateway);
    address_format(external, text);
    if (external->host[0] != '\0')
        log_event(LOG_LEVEL_INFO, "mapping-changed", NULL, "the router %s lets in %s", gateway.host,
                  text);
    else
        log_event(LOG_LEVEL_NOTICE, "mapping-changed", NULL, "the router no longer lets in port %u",
                  row->mapping.wish.port);
}

/* Passes on what is new since the last time. */
static void compare(struct portmap *portmap, struct portmap_row *row)
{
    struct address external;
    portmap_external(&row->mapping, &external);
    if (address_equal(&external, &row->told))
        return;
    say(row, &external);
    row->told = external;
    portmap->changed(portmap->context);
}

/* Sends what is due, and comes again. */
static void step(struct portmap *portmap)
{
    uint64_t due_ms = UINT64_MAX;
    for (unsigned i = 0; i < portmap->count; i++) {
        struct portmap_row *row = &portmap->rows[i];
        uint8_t datagram[PCP_REQUEST_MAX];
        size_t size = mapping_next(&row->mapping, now(portmap), datagram);
        int r =
            size == 0 ? 0 : router_send(portmap->router, &row->mapping.route, SPAN(datagram, size));
        if (r < 0)
            log_debug("can't write to the router: %s", strerror(-r));
        compare(portmap, row);
        const uint64_t next_ms = mapping_due(&row->mapping);
        due_ms = next_ms < due_ms ? next_ms : due_ms;
    }
    timer_arm_at(portmap->timer, due_ms);
}

static void on_timer(void *context)
{
    step(context);
}

/* --- the router speaks ------------------------------------------------------------------------ */

static void renew_all(struct portmap *portmap, const struct portmap_row *but)
{
    for (unsigned i = 0; i < portmap->count; i++)
        if (&portmap->rows[i] != but)
            mapping_renew(&portmap->rows[i].mapping, now(portmap));
}

static void on_answer(void *context, bool ipv6, struct span datagram)
{
    struct portmap *portmap = context;
    for (unsigned i = 0; i < portmap->count; i++) {
        struct portmap_row *row = &portmap->rows[i];
        if (row->ipv6 == ipv6 && mapping_take(&row->mapping, datagram, now(portmap)))
            renew_all(portmap, row);
    }
    step(portmap);
}

static void on_refused(void *context, bool ipv6)
{
    struct portmap *portmap = context;
    for (unsigned i = 0; i < portmap->count; i++)
        if (portmap->rows[i].ipv6 == ipv6)
            mapping_refused(&portmap->rows[i].mapping, now(portmap));
    step(portmap);
}

static void on_announced(void *context)
{
    renew_all(context, NULL);
    step(context);
}

static const struct router_events router_events = {on_answer, on_refused, on_announced};

/* --- where the router is ---------------------------------------------------------------------- */

/*
 * By IPv4 only a private address needs a port of the router's; by IPv6 the firewall is asked to let
 * in the address that lasts.
 */
static struct network_route find_route(const struct portmap *portmap, bool ipv6)
{
    const struct network_route nowhere = {0};
    struct address source = {0};
    if (portmap->netwatch == NULL)
        return nowhere;
    struct network_route route = netwatch_route(portmap->netwatch, ipv6);
    if (ipv6 && !local_address_lasting(route.source))
        return nowhere;
    address_set_host(&source, route.source);
    return address_is_public(&source) == ipv6 ? route : nowhere;
}

void portmap_network_changed(struct portmap *portmap)
{
    const struct network_route routes[2] = {find_route(portmap, false), find_route(portmap, true)};
    for (unsigned i = 0; i < portmap->count; i++)
        mapping_move(&portmap->rows[i].mapping, &routes[portmap->rows[i].ipv6], now(portmap));
    step(portmap);
}

/* The same after a restart, so that a router knows us again (RFC 6887, section 11.1). */
static int make_nonce(const struct portmap *portmap, uint16_t port, bool ipv6,
                      uint8_t nonce[static PCP_NONCE_SIZE])
{
    const uint8_t what[] = {ipv6, (uint8_t)(port >> 8), (uint8_t)port};
    const struct span part = SPAN(what, sizeof what);
    uint8_t tag[BODY_SEALER_TAG_SIZE];
    int r = body_sealer_tag(portmap->body_sealer, "p2pchat/1 port mapping", &part, 1, tag);
    memcpy(nonce, tag, PCP_NONCE_SIZE);
    return r;
}

int portmap_add(struct portmap *portmap, uint16_t port, bool ipv6)
{
    uint8_t nonce[PCP_NONCE_SIZE];
    unsigned same_family = 0;
    for (unsigned i = 0; i < portmap->count; i++) {
        if (portmap->rows[i].ipv6 == ipv6 && portmap->rows[i].mapping.wish.port == port)
            return 0;
        same_family += portmap->rows[i].ipv6 == ipv6;
    }
    if (portmap->router == NULL || same_family == PORTMAP_PORTS_MAX)
        return 0;
    int r = make_nonce(portmap, port, ipv6, nonce);
    if (r < 0)
        return r;
    struct portmap_row *row = &portmap->rows[portmap->count++];
    *row = (struct portmap_row){.ipv6 = ipv6};
    mapping_init(&row->mapping, port, nonce, random_u32());
    return 0;
}

unsigned portmap_addresses(const struct portmap *portmap, struct address *addresses, unsigned max)
{
    unsigned count = 0;
    for (unsigned i = 0; i < portmap->count && count < max; i++)
        count += portmap_external(&portmap->rows[i].mapping, &addresses[count]) &&
                 address_is_public(&addresses[count]);
    return count;
}

/* --- life ------------------------------------------------------------------------------------- */

int portmap_init(struct portmap *portmap, struct runtime *runtime, struct router *router,
                 const struct netwatch *netwatch, struct body_sealer *body_sealer)
{
    *portmap = (struct portmap){
        .runtime = runtime, .router = router, .netwatch = netwatch, .body_sealer = body_sealer};
    if (router != NULL)
        router_start(router, &router_events, portmap);
    return timer_new(&portmap->timer, runtime->loop, on_timer, portmap);
}

void portmap_deinit(struct portmap *portmap)
{
    timer_free(portmap->timer);
}

void portmap_on_change(struct portmap *portmap, void (*changed)(void *context), void *context)
{
    portmap->changed = changed;
    portmap->context = context;
}
