/* SPDX-License-Identifier: ISC */
/*
 * Machines of the simulated network: who listens, who dials, and what the dice do to connections.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/connector.h"
#include "net/local_address.h"
#include "net/netwatch.h"
#include "net/resolver.h"
#include "net/router.h"
#include "simulation/dice.h"
#include "simulation/wire_state.h"

static struct {
    struct list streams;
    struct listener *listeners[MACHINES_MAX];
    uint64_t parted_ms[MACHINES_MAX][MACHINES_MAX];
    bool powered[MACHINES_MAX];
    unsigned lag_ms;
    size_t most_unsent;
} wire = {.streams = LIST_INIT(wire.streams)};

void wire_reset(void)
{
    for (unsigned i = 0; i < MACHINES_MAX; i++) {
        wire.powered[i] = true;
        for (unsigned j = 0; j < MACHINES_MAX; j++)
            wire.parted_ms[i][j] = NEVER;
    }
    wire.most_unsent = 0;
}

void wire_set_lag(unsigned lag_ms)
{
    wire.lag_ms = lag_ms;
}

struct address wire_address(unsigned machine, uint16_t port)
{
    struct address address = {.port = port};
    snprintf(address.host, sizeof address.host, "%s", world_name(machine));
    return address;
}

uint64_t wire_delay(void)
{
    return dice_between(0, wire.lag_ms);
}

void wire_join(struct stream *stream)
{
    list_append(&wire.streams, &stream->node);
}

/* --- faults ----------------------------------------------------------------------------------- */

static struct stream *choose_connected(void)
{
    struct stream *chosen = NULL;
    unsigned seen = 0;
    list_for_each (node, &wire.streams) {
        struct stream *stream = container_of(node, struct stream, node);
        if (stream->partner != NULL && dice_below(++seen) == 0)
            chosen = stream;
    }
    return chosen;
}

/* Loses what is on its way to a stream, from some byte on. */
static void lose_tail(struct stream *stream)
{
    size_t kept = (size_t)dice_between(0, stream->arriving_size);
    list_for_each_safe (node, &stream->arriving) {
        struct segment *segment = container_of(node, struct segment, node);
        size_t left = segment->size - segment->taken;
        size_t lost = left > kept ? left - kept : 0;
        kept -= left - lost;
        segment->size -= lost;
        stream->arriving_size -= lost;
        if (segment->taken == segment->size) {
            list_remove(&segment->node);
            free(segment);
        }
    }
}

void wire_cut(enum cut cut)
{
    struct stream *one = choose_connected();
    if (one == NULL)
        return;
    struct stream *other = one->partner;
    trace(one->here, "connection with %s is cut (%s)", world_name(one->there),
          cut == CUT_RESET      ? "both learn it"
          : cut == CUT_ONE_SIDE ? "only this side learns it"
                                : "silently");
    if (cut == CUT_RESET) {
        lose_tail(one);
        lose_tail(other);
        stream_reset(other);
    }
    if (cut == CUT_SILENT) {
        one->cut = other->cut = true;
        one->lost_ms = other->lost_ms = world_now();
    } else {
        stream_reset(one);
    }
    stream_orphan(one);
    stream_orphan(other);
}

uint64_t wire_parted_since(unsigned one, unsigned other)
{
    return wire.parted_ms[one][other];
}

void wire_part(unsigned one, unsigned other)
{
    if (wire.parted_ms[one][other] != NEVER)
        return;
    trace(one, "no way to %s", world_name(other));
    wire.parted_ms[one][other] = wire.parted_ms[other][one] = world_now();
}

/* What was on its way is sent again. */
static void resend(struct stream *stream, uint64_t parted_ms)
{
    uint64_t at = world_now() + wire_delay();
    list_for_each (node, &stream->arriving) {
        struct segment *segment = container_of(node, struct segment, node);
        if (segment->at_ms > parted_ms && segment->at_ms < at)
            segment->at_ms = at;
    }
}

void wire_heal(unsigned one, unsigned other)
{
    uint64_t parted = wire.parted_ms[one][other];
    if (parted == NEVER)
        return;
    trace(one, "way to %s again", world_name(other));
    wire.parted_ms[one][other] = wire.parted_ms[other][one] = NEVER;
    list_for_each (node, &wire.streams) {
        struct stream *stream = container_of(node, struct stream, node);
        if ((stream->here == one && stream->there == other) ||
            (stream->here == other && stream->there == one))
            resend(stream, parted);
    }
}

void wire_power(unsigned machine, bool on)
{
    wire.powered[machine] = on;
}

bool wire_powered(unsigned machine)
{
    return wire.powered[machine];
}

/* --- what there is ---------------------------------------------------------------------------- */

unsigned wire_connections(unsigned one, unsigned other)
{
    unsigned count = 0;
    list_for_each (node, &wire.streams) {
        const struct stream *stream = container_of(node, struct stream, node);
        count += stream->here == one && stream->there == other && stream->partner != NULL;
    }
    return count;
}

unsigned wire_streams(unsigned machine)
{
    unsigned count = 0;
    list_for_each (node, &wire.streams)
        count += container_of(node, struct stream, node)->here == machine;
    return count;
}

void wire_note_unsent(size_t size)
{
    if (size > wire.most_unsent)
        wire.most_unsent = size;
}

size_t wire_most_unsent(void)
{
    return wire.most_unsent;
}

/* --- listening -------------------------------------------------------------------------------- */

/* A connection that waits to be accepted. */
struct newcomer {
    struct list node;
    struct stream *stream;
    uint64_t at_ms;
};

struct listener {
    struct source source;
    struct list newcomers;
    listener_accept *accept;
    void *context;
};

static struct newcomer *first_newcomer(const struct listener *listener)
{
    if (list_empty(&listener->newcomers))
        return NULL;
    return container_of(listener->newcomers.next, struct newcomer, node);
}

static struct stream *take_newcomer(struct newcomer *newcomer)
{
    struct stream *stream = newcomer->stream;
    list_remove(&newcomer->node);
    free(newcomer);
    return stream;
}

static uint64_t listener_due(const struct source *source)
{
    const struct newcomer *first =
        first_newcomer(container_of(source, const struct listener, source));
    return first != NULL ? first->at_ms : NEVER;
}

static void listener_fire(struct source *source)
{
    struct listener *listener = container_of(source, struct listener, source);
    listener->accept(listener->context, take_newcomer(first_newcomer(listener)));
}

int listener_new_tcp(struct listener **result, struct loop *loop, const struct address *address,
                     listener_accept *accept, void *context)
{
    struct listener *listener = calloc(1, sizeof *listener);
    (void)address;
    if (listener == NULL)
        return -ENOMEM;
    source_init(&listener->source, loop, listener_due, listener_fire);
    list_init(&listener->newcomers);
    listener->accept = accept;
    listener->context = context;
    wire.listeners[loop->machine] = listener;
    *result = listener;
    return 0;
}

int listener_inherit(struct listener **listener, struct loop *loop, int fd, listener_accept *accept,
                     void *context)
{
    (void)listener;
    (void)loop;
    (void)fd;
    (void)accept;
    (void)context;
    return -ENOTSUP;
}

void listener_free(struct listener *listener)
{
    if (listener == NULL)
        return;
    while (!list_empty(&listener->newcomers))
        stream_free(take_newcomer(first_newcomer(listener)));
    wire.listeners[listener->source.loop->machine] = NULL;
    source_deinit(&listener->source);
    free(listener);
}

const char *listener_name(const struct listener *listener)
{
    return world_name(listener->source.loop->machine);
}

bool listener_serves(const struct listener *listener, const struct address *address)
{
    (void)listener;
    (void)address;
    return false;
}

/* Names need no looking up here. */
bool local_address_is_any(const char *host, bool *ipv6)
{
    (void)host;
    *ipv6 = false;
    return false;
}

bool local_address_has_ipv6(void)
{
    return false;
}

bool local_address_lasting(uint8_t address[static 16])
{
    (void)address;
    return false;
}

unsigned local_address_list(struct address *addresses, unsigned max, uint16_t port, bool ipv6)
{
    (void)addresses;
    (void)max;
    (void)port;
    (void)ipv6;
    return 0;
}

/* Nor is there a router to ask. */
void router_start(struct router *router, const struct router_events *events, void *context)
{
    (void)router;
    (void)events;
    (void)context;
}

int router_send(struct router *router, const struct network_route *route, struct span datagram)
{
    (void)router;
    (void)route;
    (void)datagram;
    return 0;
}

/* Nothing changes here that somebody could notice. */
bool stream_local(const struct stream *stream, uint8_t address[static ORIGIN_KEY_SIZE])
{
    (void)stream;
    (void)address;
    return false;
}

void netwatch_start(struct netwatch *netwatch, netwatch_report *report, void *context)
{
    (void)netwatch;
    (void)report;
    (void)context;
}

const char *netwatch_flaw(const struct netwatch *netwatch)
{
    (void)netwatch;
    return NULL;
}

struct network_route netwatch_route(const struct netwatch *netwatch, bool ipv6)
{
    (void)netwatch;
    (void)ipv6;
    return (struct network_route){0};
}

bool netwatch_has(const struct netwatch *netwatch, const uint8_t address[static 16])
{
    (void)netwatch;
    (void)address;
    return true;
}

/* --- dialling --------------------------------------------------------------------------------- */

/* Every machine has the number that follows its index as its address. */
struct addrinfo *lookup_numeric(const struct address *address)
{
    struct found {
        struct addrinfo info;
        struct sockaddr_in address;
    } *found = calloc(1, sizeof *found);
    unsigned machine = 0;
    if (found == NULL)
        abort();
    while (machine < MACHINES_MAX && strcmp(address->host, world_name(machine)) != 0)
        machine++;
    found->address = (struct sockaddr_in){.sin_family = AF_INET,
                                          .sin_port = htons(address->port),
                                          .sin_addr.s_addr = htonl(machine + 1)};
    found->info = (struct addrinfo){.ai_family = AF_INET,
                                    .ai_addr = (struct sockaddr *)&found->address,
                                    .ai_addrlen = sizeof found->address};
    return &found->info;
}

void lookup_free_addresses(struct addrinfo *addresses)
{
    free(addresses);
}

int lookup_start(struct lookup **lookup, struct loop *loop, const struct address *address,
                 int family, lookup_done *done, void *context)
{
    (void)lookup;
    (void)loop;
    (void)address;
    (void)family;
    (void)done;
    (void)context;
    return -ENOTSUP;
}

void lookup_cancel(struct lookup *lookup)
{
    (void)lookup;
}

struct connector {
    struct source source;
    unsigned machine; /* MACHINES_MAX for none */
    uint16_t port;
    uint64_t at_ms;
    connector_done *done;
    void *context;
};

static uint64_t connector_due(const struct source *source)
{
    return container_of(source, const struct connector, source)->at_ms;
}

static struct stream *connect_to(struct loop *loop, struct listener *listener)
{
    struct newcomer *newcomer = calloc(1, sizeof *newcomer);
    struct stream *stream;
    if (newcomer == NULL)
        abort();
    stream_pair(&stream, loop, &newcomer->stream, listener->source.loop);
    newcomer->at_ms = world_now() + wire_delay();
    list_init(&newcomer->node);
    list_append(&listener->newcomers, &newcomer->node);
    return stream;
}

static void connector_end(struct connector *connector, struct stream *stream, const char *error)
{
    struct connector ended = *connector;
    connector_cancel(connector);
    ended.done(ended.context, stream, error);
}

static void connector_fire(struct source *source)
{
    struct connector *connector = container_of(source, struct connector, source);
    unsigned machine = connector->machine;
    if (machine == MACHINES_MAX)
        connector_end(connector, NULL, "host not found");
    else if (connector->port == PORT_VOID || !wire.powered[machine] ||
             wire.parted_ms[source->loop->machine][machine] != NEVER)
        connector->at_ms += 1000; /* the kernel tries again */
    else if (connector->port == PORT_CLOSED || wire.listeners[machine] == NULL)
        connector_end(connector, NULL, strerror(ECONNREFUSED));
    else
        connector_end(connector, connect_to(source->loop, wire.listeners[machine]), NULL);
}

int connector_start(struct connector **result, struct loop *loop, const struct sockaddr *address,
                    socklen_t size, connector_done *done, void *context)
{
    struct connector *connector = calloc(1, sizeof *connector);
    struct sockaddr_in where;
    if (connector == NULL || size != sizeof where)
        abort();
    memcpy(&where, address, sizeof where);
    source_init(&connector->source, loop, connector_due, connector_fire);
    connector->machine = ntohl(where.sin_addr.s_addr) - 1;
    connector->port = ntohs(where.sin_port);
    connector->at_ms = world_now() + wire_delay() + wire_delay();
    connector->done = done;
    connector->context = context;
    *result = connector;
    return 0;
}

void connector_cancel(struct connector *connector)
{
    if (connector == NULL)
        return;
    source_deinit(&connector->source);
    free(connector);
}
