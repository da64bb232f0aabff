/* SPDX-License-Identifier: ISC */
/*
 * Admission: the answers to the two questions of a session, may this identity come in and may this
 * session exist, with everything that follows from them (pinning, requests, alarms).
 *
 * An invite is good once. It is used up in the transaction that pins the joiner's key, before the
 * joiner is told; so a crash leaves either a good invite and no peer, or no invite and a peer that
 * gets in again without one.
 *
 * Two peers may turn out to be one: one that was added by its address alone, and one that called in
 * meanwhile, was adopted, and has no name but that of its key. They are one when our dial of the
 * first is answered with the key of the second. A caller alone can't bring that about; a host
 * that answers at the first one's address would have been pinned as it.
 */
#pragma once

#include "core/adoption.h"
#include "core/housekeeping.h"
#include "core/limits.h"
#include "core/links.h"
#include "core/merging.h"
#include "core/pending_keys.h"
#include "core/roster.h"

/* Whom admission asks and tells. All outlive it. */
struct admission {
    struct runtime *runtime;
    struct limits *limits;
    struct links *links;
    struct pending_keys *pending_keys;
    struct roster *roster;
    struct adoption *adoption;
    struct housekeeping *housekeeping;
    struct body_sealer *body_sealer;
    struct merging *merging;
};

/* Answers SESSION_IDENTIFIED. */
void admission_identified(struct admission *admission, struct link *link);

/* Answers SESSION_CONFIRMED. What it pins is committed before the session exists. */
void admission_confirmed(struct admission *admission, struct link *link);

/*
 * People have made this peer known, or accepted its key: a session of that key that waits for them
 * is the peer's now.
 */
void admission_grant(struct admission *admission, struct peer *peer);
