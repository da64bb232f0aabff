/* SPDX-License-Identifier: ISC */
/*
 * What people may ask about invites.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/node.h"
#include "core/node_state.h"
#include "core/peer_name.h"
#include "crypto/random.h"
#include "net/local_address.h"

static_assert((int)INVITE_ROW_ID_SIZE == INVITE_ID_SIZE &&
                  (int)PEER_INVITE_SIZE == INVITE_SECRET_SIZE &&
                  (int)PEER_INVITE_SIZE == BODY_SEALER_SECRET_SIZE &&
                  (int)PEER_INVITE_SEALED_SIZE == BODY_SEALER_SEALED_SIZE &&
                  (int)PEER_ADDRESSES_MAX == INVITE_URI_ADDRESSES_MAX,
              "the store holds what the protocol shows");

/* Where one of our listeners may be reached: how many, at most `room`. */
static unsigned list_listener(const char *name, struct address *addresses, unsigned room)
{
    struct address listened;
    bool ipv6;
    if (room == 0 || address_parse(name, &listened) < 0)
        return 0;
    if (local_address_is_any(listened.host, &ipv6))
        return local_address_list(addresses, room, listened.port, ipv6);
    *addresses = listened;
    return 1;
}

unsigned node_own_addresses(const struct node *node, struct address *addresses, unsigned max)
{
    unsigned count = portmap_addresses(&node->portmap, addresses, max);
    for (unsigned i = 0; i < node->listener_count; i++)
        count += list_listener(listener_name(node->listeners[i]), addresses + count, max - count);
    return count;
}

static int add_listeners(const struct node *node, struct invite_uri *uri)
{
    uri->address_count = node_own_addresses(node, uri->addresses, INVITE_URI_ADDRESSES_MAX);
    return uri->address_count > 0 ? 0 : NODE_NO_ADDRESS;
}

/* The name of this machine, as a suggestion how to call us. */
static void suggest_name(struct invite_uri *uri)
{
    char name[INVITE_URI_NAME_MAX] = "";
    if (gethostname(name, sizeof name - 1) < 0)
        return;
    name[strcspn(name, ".")] = '\0';
    if (peer_name_modest(name))
        memcpy(uri->name, name, sizeof name);
}

static int count_row(void *context, const struct invite_row *row)
{
    (void)row;
    ++*(unsigned *)context;
    return 0;
}

static int check_room(struct node *node, const struct node_invite *wanted)
{
    unsigned count = 0;
    int r = wanted->name != NULL ? roster_check_name(&node->roster, wanted->name) : 0;
    if (r != 0)
        return r;
    r = invites_expire(node->runtime.db, loop_wall(node->runtime.loop));
    if (r == 0)
        r = invites_each(node->runtime.db, count_row, &count);
    if (r != 0)
        return outcome_of_store(r);
    return count < NODE_INVITES_MAX ? 0 : NODE_INVITES_FULL;
}

static int fill_uri(const struct node *node, const struct node_invite *wanted,
                    struct invite_uri *uri)
{
    *uri = (struct invite_uri){.inviter = *runtime_fingerprint(&node->runtime),
                               .address_count = wanted->address_count};
    suggest_name(uri);
    int r = random_bytes(uri->secret, sizeof uri->secret);
    if (r == 0 && wanted->address_count == 0)
        return add_listeners(node, uri);
    if (wanted->address_count > 0)
        memcpy(uri->addresses, wanted->addresses,
               wanted->address_count * sizeof *wanted->addresses);
    return r;
}

int node_invite_create(struct node *node, const struct node_invite *wanted, struct invite_row *row,
                       struct invite_uri *uri)
{
    uint64_t now = loop_wall(node->runtime.loop);
    *row = (struct invite_row){.created_ms = now, .expires_ms = now + wanted->lifetime_ms};
    int r = check_room(node, wanted);
    if (r == 0)
        r = fill_uri(node, wanted, uri);
    if (r == 0)
        r = invite_proof_id(uri->secret, row->id);
    if (r != 0)
        return r;
    r = body_sealer_seal_secret(node->body_sealer, INVITE_GIVEN, SPAN(row->id, sizeof row->id),
                                uri->secret, row->sealed);
    if (r != 0)
        return r;
    if (wanted->name != NULL)
        snprintf(row->name, sizeof row->name, "%s", wanted->name);
    return outcome_of_store(invites_add(node->runtime.db, row));
}

int node_invite_revoke(struct node *node, const uint8_t id[static INVITE_ID_SIZE])
{
    int r = invites_remove(node->runtime.db, id);
    return r == DB_NOT_FOUND ? NODE_NO_SUCH_INVITE : outcome_of_store(r);
}

/* Of the peer whose key the row has. 0 or -errno. */
static int take_uri(struct node *node, struct peer_row *row, const struct invite_uri *uri)
{
    row->invited = true;
    memcpy(row->invite_secret, uri->secret, sizeof row->invite_secret);
    row->address_count = uri->address_count;
    memcpy(row->addresses, uri->addresses, sizeof row->addresses);
    return body_sealer_seal_secret(node->body_sealer, INVITE_TAKEN, SPAN(row->key, sizeof row->key),
                                   row->invite_secret, row->invite_sealed);
}

/* The inviter is a peer already. */
static int renew(struct node *node, struct peer *peer, const struct invite_uri *uri)
{
    if (peer->row.trust == PEER_BLOCKED)
        return NODE_BLOCKED;
    if (peer->link != NULL && link_open(peer->link))
        return node_peer_verify(node, peer, &uri->inviter);
    struct peer_row row = peer->row;
    int r = take_uri(node, &row, uri);
    if (r == 0)
        r = roster_update(&node->roster, peer, &row);
    if (r != 0)
        return r;
    peer->silenced = false;
    peer_forget_attempts(peer);
    if (peer->link != NULL)
        link_close(peer->link, CLOSE_NORMAL); /* it waited for a yes that the invite gives */
    peer_dial_at_once(peer);
    return 0;
}

/* The name that is wanted, else the suggested one, else one made of the key. */
static void choose_name(const struct node *node, const struct invite_uri *uri, const char *wanted,
                        struct peer_row *row)
{
    if (wanted != NULL)
        snprintf(row->name, sizeof row->name, "%s", wanted);
    else if (roster_name_suits(&node->roster, uri->name))
        snprintf(row->name, sizeof row->name, "%s", uri->name);
    else
        roster_make_name(&uri->inviter, row->name);
}

int node_invite_accept(struct node *node, const struct invite_uri *uri, const char *name,
                       struct peer **peer)
{
    *peer = roster_by_key(&node->roster, &uri->inviter);
    if (*peer != NULL)
        return renew(node, *peer, uri);
    if (name != NULL && !peer_name_valid(name))
        return NODE_BAD_NAME;
    struct peer_row row = {.pinned = true, .trust = PEER_UNPINNED};
    memcpy(row.key, uri->inviter.bytes, sizeof row.key);
    int r = take_uri(node, &row, uri);
    choose_name(node, uri, name, &row);
    return r == 0 ? node_take_in(node, &row, peer) : r;
}
