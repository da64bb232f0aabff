/* SPDX-License-Identifier: ISC */
/*
 * Who may come in: the decision about an authenticated key, as a pure function.
 */
#pragma once

#include <stdbool.h>

#include "core/settings.h"
#include "proto/session_types.h"

/* What is known about the key that the other side just proved to own. */
struct trust_case {
    enum session_role role;     /* ours */
    enum unknown_policy policy; /* for keys that nobody knows */
    bool known;                 /* a peer has this key pinned … */
    bool blocked;               /* … or blocked */
    bool expected;              /* joiner: we dialled a certain peer … */
    bool expected_pinned;       /* … whose key is pinned … */
    bool expected_is_it;        /* … and this is it … */
    bool expected_online;       /* … or it is here already, with its own key … */
    bool expected_there;        /* … and people gave the address, it did not just say so */
    bool unnamed;               /* known, but nobody has named that peer: it was adopted */
    bool weak;    /* the suite is less than the peer's row, or the dialled one's, requires */
    bool invited; /* host: nobody knows it, but it holds an invite of ours */
};

enum trust_verdict {
    TRUST_REFUSE = 0, /* not this one */
    TRUST_ALARM,      /* refuse, and send the dialled peer nothing: its key seems to be another */
    TRUST_ELSEWHERE,  /* refuse: somebody else is at the address, which says nothing of the peer */
    TRUST_WEAK,       /* refuse the session, not the peer: it requires a post-quantum suite */
    TRUST_WELCOME,    /* a pinned peer */
    TRUST_PIN,        /* welcome, and pin it as `tofu` once the session exists */
    TRUST_MERGE,      /* the dialled peer and the one that has this key are one: make them so */
    TRUST_INVITED,    /* welcome, and pin it as `verified` when it uses up its invite */
    TRUST_ASK,        /* authenticate it, then let a person decide */
};

enum trust_verdict trust_decide(const struct trust_case *facts);

/* "verified", "tofu", "changed", "blocked", "unpinned". */
const char *trust_name(enum peer_trust trust);
