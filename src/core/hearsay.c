/* SPDX-License-Identifier: ISC */
/*
 * What a peer says of itself.
 */
#include "core/hearsay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void hearsay_deinit(struct hearsay *hearsay)
{
    free(hearsay->ways);
    *hearsay = (struct hearsay){0};
}

bool hearsay_allowed(struct hearsay *hearsay, uint64_t now_ms)
{
    if (now_ms - hearsay->window_ms >= HEARSAY_WINDOW_MS) {
        hearsay->window_ms = now_ms;
        hearsay->lists = 0;
    }
    if (hearsay->lists >= HEARSAY_LISTS_MAX)
        return false;
    hearsay->lists++;
    return true;
}

/* The bytes that tell a network of ours from another: 3 of IPv4, 8 of IPv6; their number. */
static size_t read_network(const struct address *address, uint8_t network[static 16])
{
    if (inet_pton(AF_INET, address->host, network) == 1)
        return 3;
    return inet_pton(AF_INET6, address->host, network) == 1 ? 8 : 0;
}

static bool is_crowded(const struct address *chosen, unsigned count, const struct address *address)
{
    uint8_t network[16], other[16];
    size_t size = read_network(address, network);
    unsigned same = 0;
    for (unsigned i = 0; i < count; i++)
        same += read_network(&chosen[i], other) == size && memcmp(network, other, size) == 0;
    return same >= HEARSAY_PER_NETWORK;
}

unsigned hearsay_choose(const struct address *told, unsigned count, const struct address *own,
                        unsigned own_count, struct address chosen[static TOLD_MAX])
{
    unsigned taken = 0;
    for (unsigned i = 0; i < count && taken < TOLD_MAX; i++)
        if (told[i].port >= HEARSAY_PORT_MIN && address_is_public(&told[i]) &&
            !address_listed(own, own_count, &told[i]) && !address_listed(chosen, taken, &told[i]) &&
            !is_crowded(chosen, taken, &told[i]))
            chosen[taken++] = told[i];
    return taken;
}

static bool is_same(const struct hearsay *hearsay, const struct address *list, unsigned count)
{
    bool same = hearsay->count == count;
    for (unsigned i = 0; i < count && same; i++)
        same = address_equal(&hearsay->ways[i].address, &list[i]);
    return same;
}

int hearsay_take(struct hearsay *hearsay, const struct address *list, unsigned count,
                 uint64_t wall_ms)
{
    bool same = is_same(hearsay, list, count);
    struct hearsay_way *ways = count > 0 ? calloc(count, sizeof *ways) : NULL;
    if (count > 0 && ways == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++)
        ways[i].address = list[i];
    free(hearsay->ways);
    hearsay->ways = ways;
    hearsay->count = count;
    hearsay->told_ms = wall_ms;
    return !same;
}

bool hearsay_store_due(struct hearsay *hearsay, uint64_t wall_ms)
{
    if (hearsay->stored_ms != 0 && wall_ms - hearsay->stored_ms < HEARSAY_STORE_MS)
        return false;
    hearsay->stored_ms = wall_ms;
    return true;
}

void hearsay_failed(struct hearsay *hearsay, const struct address *way)
{
    for (unsigned i = 0; i < hearsay->count; i++)
        hearsay->ways[i].failures += address_equal(&hearsay->ways[i].address, way);
}

unsigned hearsay_next_round(struct hearsay *hearsay, uint64_t wall_ms,
                            struct address ways[static TOLD_MAX])
{
    bool all = hearsay->rounds++ % HEARSAY_RETRY == HEARSAY_RETRY - 1;
    unsigned count = 0;
    if (wall_ms - hearsay->told_ms > HEARSAY_MEMORY_MS)
        return 0;
    for (unsigned i = 0; i < hearsay->count; i++)
        if (all || hearsay->ways[i].failures < HEARSAY_FAILURES_MAX)
            ways[count++] = hearsay->ways[i].address;
    return count;
}
