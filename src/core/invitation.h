/*
 * Invites at the door: what a joiner who shows one of ours gets by it.
 *
 * An invite is good once. It is used up in the transaction that pins the joiner's key, before the
 * joiner is told; so a crash leaves either a good invite and no peer, or no invite and a peer that
 * gets in again without one.
 */
#pragma once

#include "core/link.h"

struct node;
struct peer;

/*
 * Whether the joiner that SESSION_IDENTIFIED was about proved to hold an invite that is good now.
 * One that is unknown, expired or used is as none.
 */
bool invitation_held(struct node *node, const struct link *link);

/*
 * Uses up the invite of a joiner and makes him a peer. 0, NODE_MISMATCH (it was used, revoked or
 * ran out since invitation_held()), another outcome or -errno.
 */
int invitation_use(struct node *node, const struct link *link, struct peer **peer);
