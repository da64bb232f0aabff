/*
 * Admission: the answers to the two questions of a session, may this identity come in and may this
 * session exist, with everything that follows from them (pinning, requests, alarms).
 */
#pragma once

#include "core/link.h"

struct node;

/* Answers SESSION_IDENTIFIED. */
void admission_identified(struct node *node, struct link *link);

/* Answers SESSION_CONFIRMED. What it pins is committed before the session exists. */
void admission_confirmed(struct node *node, struct link *link);

/* Pins a key to a peer and says so. 0, NODE_KEY_TAKEN, NODE_DISK_FULL or -errno. */
int admission_pin(struct node *node, struct peer *peer, const struct fingerprint *key,
                  enum peer_trust trust);
