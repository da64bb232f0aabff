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
    int r = id == NULL ? DB_NOT_FOUND : invites_get(node->runtime.db, id, invite);
    if (r < 0)
        return r;
    bool good = r == 0 && loop_wall(node->runtime.loop) < invite->expires_ms &&
                session_invite_proven(link->session, invite->secret);
    return good ? 0 : NODE_MISMATCH;
}

bool invitation_held(struct node *node, const struct link *link)
{
    struct invite_row invite;
    int r = find(node, link, &invite);
    secret_wipe(&invite, sizeof invite);
    if (r < 0)
        runtime_fail(&node->runtime, r);
    return r == 0;
}

/* The name that the invite gives, unless it gives none or another peer got it meanwhile. */
static const char *choose_name(const struct node *node, const struct invite_row *invite)
{
    return roster_check_name(&node->roster, invite->name) == 0 ? invite->name : NULL;
}

int invitation_use(struct node *node, const struct link *link, struct peer **peer)
{
    struct invite_row invite;
    int r = find(node, link, &invite);
    if (r == 0)
        r = pubkey_check(session_peer(link->session));
    if (r == 0)
        r = roster_adopt(&node->roster, choose_name(node, &invite), link_fingerprint(link),
                         PEER_VERIFIED, peer);
    if (r == 0)
        r = outcome_of_store(invites_remove(node->runtime.db, invite.id));
    secret_wipe(&invite, sizeof invite);
    return r;
}
