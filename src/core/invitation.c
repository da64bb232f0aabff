/*
 * Invites at the door.
 */
#include "core/invitation.h"

#include "core/node_state.h"
#include "store/invites.h"

/* The good invite that the joiner proved to hold. 0, NODE_MISMATCH or -errno. */
static int find(struct node *node, const struct link *link, struct invite_row *invite)
{
    const uint8_t *id = session_invite_id(link->session);
    int r = id == NULL ? DB_NOT_FOUND : invites_get(node->db, id, invite);
    if (r < 0)
        return r;
    bool good = r == 0 && loop_wall(node->loop) < invite->expires_ms &&
                session_invite_proven(link->session, invite->secret);
    return good ? 0 : NODE_MISMATCH;
}

bool invitation_held(struct node *node, const struct link *link)
{
    struct invite_row invite;
    int r = find(node, link, &invite);
    secret_wipe(&invite, sizeof invite);
    if (r < 0)
        node_fail(node, r);
    return r == 0;
}

/* The name that the invite gives, unless another peer got it meanwhile. */
static const char *choose_name(const struct node *node, const struct invite_row *invite,
                               const struct fingerprint *key, char made[static PEER_NAME_MAX])
{
    if (invite->name[0] != '\0' && roster_by_name(&node->roster, invite->name) == NULL)
        return invite->name;
    node_default_name(key, made);
    return made;
}

int invitation_use(struct node *node, const struct link *link, struct peer **peer)
{
    const struct fingerprint *key = link_fingerprint(link);
    char made[PEER_NAME_MAX];
    struct invite_row invite;
    int r = find(node, link, &invite);
    if (r == 0)
        r = pubkey_check(session_peer(link->session));
    if (r == 0)
        r = node_peer_add(node, choose_name(node, &invite, key, made), NULL, 0, key, PEER_VERIFIED,
                          peer);
    if (r == 0) {
        r = invites_remove(node->db, invite.id);
        r = r == DB_FULL ? NODE_DISK_FULL : r;
    }
    secret_wipe(&invite, sizeof invite);
    return r;
}
