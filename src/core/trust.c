/* SPDX-License-Identifier: ISC */
/*
 * Who may come in. Facts in, verdict out: no peer, link or store is touched here.
 */
#include "core/trust.h"

static enum trust_verdict decide_as_joiner(const struct trust_case *facts)
{
    const bool others = facts->known && !facts->unnamed; /* people know whose key it is */
    /* A peer that is online with its own key has not changed it, no peer changes its key into that
     * of another one, and where it once was somebody else may be now. */
    if (facts->expected_pinned && !facts->expected_is_it)
        return facts->expected_online || others || !facts->expected_there ? TRUST_ELSEWHERE
                                                                          : TRUST_ALARM;
    if (facts->blocked)
        return TRUST_REFUSE;
    if (facts->expected_pinned)
        return TRUST_WELCOME;
    /* Whoever answers at a peer's address is that peer, unless people know it as another. */
    if (facts->known)
        return facts->expected && facts->unnamed ? TRUST_MERGE : TRUST_ELSEWHERE;
    return TRUST_PIN;
}

static enum trust_verdict decide_as_host(const struct trust_case *facts)
{
    if (facts->blocked)
        return TRUST_REFUSE;
    if (facts->known)
        return TRUST_WELCOME;
    if (facts->invited)
        return TRUST_INVITED;
    switch (facts->policy) {
    case UNKNOWN_ACCEPT:
        return TRUST_PIN;
    case UNKNOWN_ASK:
        return TRUST_ASK;
    case UNKNOWN_REJECT:
        break;
    }
    return TRUST_REFUSE;
}

enum trust_verdict trust_decide(const struct trust_case *facts)
{
    const enum trust_verdict verdict =
        facts->role == SESSION_JOINER ? decide_as_joiner(facts) : decide_as_host(facts);
    const bool is_peer = verdict == TRUST_WELCOME || verdict == TRUST_PIN || verdict == TRUST_MERGE;
    return facts->weak && is_peer ? TRUST_WEAK : verdict;
}

const char *trust_name(enum peer_trust trust)
{
    switch (trust) {
    case PEER_UNPINNED:
        return "unpinned";
    case PEER_TOFU:
        return "tofu";
    case PEER_VERIFIED:
        return "verified";
    case PEER_CHANGED:
        return "changed";
    case PEER_BLOCKED:
        return "blocked";
    }
    return "unpinned";
}
