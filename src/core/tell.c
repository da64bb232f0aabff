/* SPDX-License-Identifier: ISC */
/*
 * Telling and hearing of addresses.
 */
#define LOG_COMPONENT "tell"
#include "core/tell.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

static_assert((int)PEER_TOLD_MAX == (int)TOLD_MAX, "the store holds what a record says");

/* What the internet may know of us. */
static unsigned list_public(const struct tell *tell, struct address own[static TOLD_MAX])
{
    unsigned count = tell->own(tell->context, own, TOLD_MAX), kept = 0;
    for (unsigned i = 0; i < count; i++)
        if (address_is_public(&own[i]))
            own[kept++] = own[i];
    return kept;
}

static bool same(const struct bytes *a, const struct bytes *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

/* Takes note of what is told, which the caller loses. */
static void send_list(const struct tell *tell, struct link *link, struct bytes *body)
{
    if (session_tell(link->session, bytes_span(body)) != 0)
        return;
    bytes_deinit(&link->told);
    link->told = *body;
    *body = (struct bytes){0};
    link->told_ms = loop_now(tell->runtime->loop);
    link_touch(link);
}

uint64_t tell_due(const struct link *link)
{
    return link->told.size > 0 ? link->told_ms + TELL_GAP_MS : 0;
}

void tell_link(const struct tell *tell, struct link *link)
{
    CLEANUP(bytes_deinit) struct bytes body = {0};
    struct address own[TOLD_MAX];
    link->untold = false;
    if (!tell->runtime->settings.tell_addresses || link->peer == NULL ||
        !peer_trusted(link->peer) || !link_open(link))
        return;
    unsigned count = list_public(tell, own);
    if (count == 0 && link->told.size == 0)
        return;
    if (told_append(&body, own, count) != 0 || same(&body, &link->told))
        return;
    if (tell_due(link) > loop_now(tell->runtime->loop))
        link->untold = true;
    else
        send_list(tell, link, &body);
}

int tell_hear(const struct tell *tell, struct peer *peer, struct span body)
{
    struct address told[TOLD_MAX], own[TOLD_MAX], chosen[TOLD_MAX];
    const uint64_t wall_ms = loop_wall(tell->runtime->loop);
    if (!hearsay_allowed(&peer->hearsay, loop_now(tell->runtime->loop)))
        return 0;
    unsigned count = told_parse(body, told);
    unsigned own_count = tell->own(tell->context, own, TOLD_MAX);
    count = hearsay_choose(told, count, own, own_count, chosen);
    int r = hearsay_take(&peer->hearsay, chosen, count, wall_ms);
    if (r < 0)
        return 0; /* no memory: it will be told again */
    log_debug("%s tells %u addresses", peer->row.name, count);
    if (!hearsay_store_due(&peer->hearsay, wall_ms))
        return 0;
    return peers_set_told(tell->runtime->db, peer->row.id, chosen, count, wall_ms);
}
