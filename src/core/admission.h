/*
 * Admission: the answers to the two questions of a session, may this identity come in and may this
 * session exist, with everything that follows from them (pinning, requests, alarms).
 */
#pragma once

#include "core/link.h"

struct node;
struct peer;

/* Answers SESSION_IDENTIFIED. */
void admission_identified(struct node *node, struct link *link);

/* Answers SESSION_CONFIRMED. What it pins is committed before the session exists. */
void admission_confirmed(struct node *node, struct link *link);

/*
 * People have made this peer known, or accepted its key: a session of that key that waits for them
 * is the peer's now.
 */
void admission_grant(struct node *node, struct peer *peer);
