/*
 * The roster: every known peer.
 */
#include "core/roster.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/utf8.h"

void roster_init(struct roster *roster)
{
    list_init(&roster->list);
    roster->count = 0;
}

void roster_deinit(struct roster *roster)
{
    list_for_each_safe (node, &roster->list)
        roster_remove(roster, container_of(node, struct peer, node));
}

struct loading {
    struct roster *roster;
    struct node *owner;
};

static int load_row(void *context, const struct peer_row *row)
{
    struct loading *loading = context;
    struct peer *peer;
    int r = peer_new(&peer, loading->owner, row);
    if (r == 0)
        roster_add(loading->roster, peer);
    return r;
}

int roster_load(struct roster *roster, struct node *owner, struct db *db)
{
    struct loading loading = {roster, owner};
    return peers_each(db, load_row, &loading);
}

void roster_add(struct roster *roster, struct peer *peer)
{
    list_append(&roster->list, &peer->node);
    roster->count++;
}

void roster_remove(struct roster *roster, struct peer *peer)
{
    roster->count--;
    peer_free(peer);
}

struct peer *roster_next(const struct roster *roster, const struct peer *peer)
{
    struct list *node = peer->node.next;
    return node == &roster->list ? NULL : container_of(node, struct peer, node);
}

struct peer *roster_first(const struct roster *roster)
{
    struct list *node = roster->list.next;
    return node == &roster->list ? NULL : container_of(node, struct peer, node);
}

struct peer *roster_by_name(const struct roster *roster, const char *name)
{
    roster_each (peer, roster)
        if (strcmp(peer->row.name, name) == 0)
            return peer;
    return NULL;
}

struct peer *roster_by_key(const struct roster *roster, const struct fingerprint *fingerprint)
{
    roster_each (peer, roster)
        if (peer->row.pinned && memcmp(peer->row.key, fingerprint->bytes, PEER_KEY_SIZE) == 0)
            return peer;
    return NULL;
}

struct peer *roster_by_id(const struct roster *roster, int64_t id)
{
    roster_each (peer, roster)
        if (peer->row.id == id)
            return peer;
    return NULL;
}

bool roster_name_valid(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size >= PEER_NAME_MAX || name[0] == '-' || !utf8_valid(name, size) ||
        strpbrk(name, " /:") != NULL)
        return false;
    /* What had to be made harmless for a terminal is no name. */
    struct bytes harmless = {0};
    bool valid = escape_append(&harmless, name, size, ESCAPE_LINE) == 0 && harmless.size == size &&
                 memcmp(harmless.data, name, size) == 0;
    bytes_deinit(&harmless);
    return valid;
}
