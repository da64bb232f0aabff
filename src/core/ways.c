/* SPDX-License-Identifier: ISC */
/*
 * The ways to one peer.
 */
#include "core/ways.h"

#include <string.h>

static unsigned add(struct address *ways, unsigned count, const struct address *address)
{
    if (count < DIAL_WAYS_MAX && !address_listed(ways, count, address))
        ways[count++] = *address;
    return count;
}

/* The first that is an IP address of this family, or NULL. */
static const struct address *find_family(const struct ways_facts *facts, bool ipv6)
{
    for (unsigned i = 0; i < facts->given_count; i++) {
        const struct address *address = &facts->given[i];
        if (address_is_numeric(address) && (strchr(address->host, ':') != NULL) == ipv6)
            return address;
    }
    return NULL;
}

unsigned ways_order(const struct ways_facts *facts, struct address ways[static DIAL_WAYS_MAX])
{
    unsigned count = 0;
    const struct address *first =
        facts->last != NULL ? facts->last : find_family(facts, facts->ipv6);
    if (first != NULL)
        count = add(ways, count, first);
    for (unsigned i = 0; i < facts->given_count; i++)
        count = add(ways, count, &facts->given[i]);
    for (unsigned i = 0; i < facts->told_count; i++)
        count = add(ways, count, &facts->told[i]);
    return count;
}
