/*
 * Admission: who comes in, and what is remembered of it.
 */
#define LOG_COMPONENT "admission"
#include "core/admission.h"

#include <string.h>

#include "base/log.h"
#include "core/invitation.h"
#include "core/merge.h"
#include "core/node_outcome.h"
#include "core/node_state.h"

static void reject(struct node *node, struct link *link, enum close_code code)
{
    session_reject(link->session, code, loop_now(node->runtime.loop));
}

static bool is_joiner(const struct link *link)
{
    return session_role(link->session) == SESSION_JOINER;
}

static bool is_key_of(const struct peer *peer, const struct fingerprint *key)
{
    return peer != NULL && peer->row.pinned &&
           memcmp(peer->row.key, key->bytes, PEER_KEY_SIZE) == 0;
}

/* The dialled peer answered with another key than its own: people must know, nothing is sent. */
static void raise_alarm(struct node *node, struct peer *peer, const struct fingerprint *key)
{
    char text[FINGERPRINT_TEXT_MAX];
    fingerprint_format(key, text);
    log_event(LOG_LEVEL_ERROR, "peer-key-changed", peer->row.name,
              "another key answered at the peer's address: %s; if the peer really has a new key: "
              "p2pchatctl peer accept %s --fingerprint %s",
              text, peer->row.name, text);
    bool news = !peer->row.offered || memcmp(peer->row.offered_key, key->bytes, PEER_KEY_SIZE);
    int r = peer->row.pinned && news ? roster_doubt(&node->roster, peer, key) : 0;
    if (r < 0)
        runtime_fail(&node->runtime, r);
}

static enum trust_verdict judge(struct node *node, struct link *link)
{
    const struct fingerprint *key = link_fingerprint(link);
    const struct peer *owner = roster_by_key(&node->roster, key);
    const struct trust_case facts = {
        .role = session_role(link->session),
        .policy = node->runtime.settings.unknown_peers,
        .known = owner != NULL,
        .blocked = owner != NULL && owner->row.trust == PEER_BLOCKED,
        .unnamed = owner != NULL && roster_unnamed(owner),
        .expected = link->peer != NULL,
        .expected_pinned = link->peer != NULL && link->peer->row.pinned,
        .expected_is_it = is_key_of(link->peer, key),
        .invited = owner == NULL && invitation_held(node, link),
    };
    return trust_decide(&facts);
}

/*
 * The verdict on the link's identity, after what has to be done for it; TRUST_MERGE while that is
 * impossible. A disk without room undoes the turn, and all that was learnt about when to try again.
 */
static enum trust_verdict reach_verdict(struct node *node, struct link *link)
{
    enum trust_verdict verdict = judge(node, link);
    if (verdict != TRUST_MERGE || !housekeeping_has_room(&node->housekeeping))
        return verdict;
    int r = merge_peers(node, link->peer, roster_by_key(&node->roster, link_fingerprint(link)));
    if (r < 0)
        runtime_fail(&node->runtime, r);
    return r == 0 ? judge(node, link) : TRUST_MERGE;
}

/* Whether our private key may work for this joiner now. */
static bool within_budget(struct node *node, struct link *link)
{
    uint64_t now = loop_now(node->runtime.loop);
    if (is_joiner(link))
        return true;
    if (link->verdict == TRUST_WELCOME)
        return bucket_take(&roster_by_key(&node->roster, link_fingerprint(link))->keys, now);
    if (link->verdict == TRUST_INVITED)
        return limits_invited_key(&node->limits, now);
    if (link->verdict == TRUST_ASK &&
        pending_keys_waiting(&node->pending_keys) >= LIMITS_PENDING_MAX)
        return false;
    return limits_stranger_key(&node->limits, now);
}

/* An invite makes peers, and changes none: who is one already keeps its name. */
static void note_needless_invite(const struct node *node, const struct link *link)
{
    if (!is_joiner(link) && session_invite_id(link->session) != NULL)
        log_info("%s shows an invite and is a peer already: its name stays, and the invite is good "
                 "for another one",
                 roster_by_key(&node->roster, link_fingerprint(link))->row.name);
}

void admission_identified(struct node *node, struct link *link)
{
    link->verdict = reach_verdict(node, link);
    if (link->verdict == TRUST_ALARM)
        raise_alarm(node, link->peer, link_fingerprint(link));
    if (link->verdict == TRUST_WELCOME)
        note_needless_invite(node, link);
    if (link->verdict == TRUST_ALARM || link->verdict == TRUST_REFUSE)
        reject(node, link, CLOSE_REFUSED);
    else if (link->verdict == TRUST_MERGE || !within_budget(node, link))
        reject(node, link, CLOSE_BUSY);
    else
        session_admit(link->session, link->verdict != TRUST_ASK, loop_now(node->runtime.loop));
}

/* The pin of first contact, in the transaction after which the session will exist. */
static int pin_first_contact(struct node *node, struct link *link)
{
    const struct fingerprint *key = link_fingerprint(link);
    int r = pubkey_check(session_peer(link->session));
    if (r != 0)
        return r;
    if (link->peer == NULL)
        return roster_adopt(&node->roster, NULL, key, PEER_TOFU, &link->peer);
    if (link->peer->row.pinned)
        return is_key_of(link->peer, key) ? 0 : NODE_MISMATCH;
    return roster_pin(&node->roster, link->peer, key, PEER_TOFU);
}

/*
 * The peer's own key is here, which settles what was open about it: the invite that it gave us has
 * done its service, and an alarm about another key in its place is over.
 */
static int settle(struct node *node, struct link *link, struct peer *peer)
{
    if (!peer->row.offered && !peer->row.invited)
        return 0;
    int r = peer->row.invited ? pubkey_check(session_peer(link->session)) : 0;
    if (r != 0)
        return r;
    return roster_pin(&node->roster, peer, link_fingerprint(link),
                      peer->row.invited ? PEER_VERIFIED : peer->row.trust);
}

/* Whatever has to be on disk before the session exists. 0, an outcome or -errno. */
static int remember(struct node *node, struct link *link)
{
    int r = link->verdict == TRUST_PIN ? pin_first_contact(node, link) : 0;
    struct peer *peer = roster_by_key(&node->roster, link_fingerprint(link));
    if (r != 0)
        return r;
    if (peer != NULL)
        return settle(node, link, peer);
    return link->verdict == TRUST_INVITED ? invitation_use(node, link, &peer) : 0;
}

static void ask_people(struct node *node, struct link *link)
{
    const struct fingerprint *key = link_fingerprint(link);
    const char *origin = stream_origin(link->stream)->text;
    struct pending_key *request =
        pending_keys_add(&node->pending_keys, key, origin, link, loop_wall(node->runtime.loop));
    if (request == NULL)
        return; /* it may ask again when it dials next */
    char text[FINGERPRINT_TEXT_MAX];
    fingerprint_format(key, text);
    log_event(LOG_LEVEL_NOTICE, "peer-request", NULL,
              "unknown key %s asks from %s: p2pchatctl peer accept %s --name NAME", text, origin,
              text);
    node->runtime.observer->request(node->runtime.observer_context, request);
}

/* Whether one more stranger may wait: others may have come while this one was confirming. */
static bool may_wait(const struct node *node, const struct link *link)
{
    return link->verdict != TRUST_ASK ||
           pending_keys_waiting(&node->pending_keys) < LIMITS_PENDING_MAX;
}

/* People may have decided since the identity was judged, and what they said holds. */
static bool still_welcome(struct node *node, struct link *link)
{
    link->verdict = reach_verdict(node, link);
    if (link->verdict == TRUST_ASK) /* too late if the other side was told that nobody need ask */
        return !session_approved_here(link->session);
    return link->verdict != TRUST_REFUSE && link->verdict != TRUST_ALARM;
}

/* Why the session may not exist; CLOSE_NORMAL when it may. */
static enum close_code find_objection(struct node *node, struct link *link)
{
    bool first = links_find(&node->links, link_fingerprint(link)) == NULL;
    if (first && node->links.established_count >= node->runtime.settings.max_links)
        return CLOSE_BUSY;
    if (!still_welcome(node, link))
        return CLOSE_REFUSED;
    if (link->verdict == TRUST_MERGE)
        return CLOSE_BUSY;
    if (!links_resolve(&node->links, link, runtime_fingerprint(&node->runtime),
                       loop_now(node->runtime.loop)))
        return CLOSE_DUPLICATE;
    return may_wait(node, link) ? CLOSE_NORMAL : CLOSE_BUSY;
}

static void forget_request(struct node *node, const struct fingerprint *key)
{
    struct pending_key *request = pending_keys_find(&node->pending_keys, key);
    if (request != NULL)
        pending_keys_remove(&node->pending_keys, request);
}

void admission_confirmed(struct node *node, struct link *link)
{
    const struct fingerprint *key = link_fingerprint(link);
    enum close_code objection = find_objection(node, link);
    if (objection != CLOSE_NORMAL) {
        reject(node, link, objection);
        return;
    }
    int r = remember(node, link);
    if (r != 0) {
        reject(node, link, r == NODE_MISMATCH ? CLOSE_REFUSED : CLOSE_INTERNAL_ERROR);
        if (r < 0)
            runtime_fail(&node->runtime, r);
        return;
    }
    links_establish(&node->links, link);
    link->establish_due = true;
    link_touch(link);
    struct peer *peer = roster_by_key(&node->roster, key);
    if (peer == NULL) {
        ask_people(node, link);
        return;
    }
    forget_request(node, key); /* first contact from this side has answered it */
    peer_link_up(peer, link);
    if (!session_approved_there(link->session))
        peer_link_waits(peer);
}

void admission_grant(struct node *node, struct peer *peer)
{
    struct fingerprint key;
    memcpy(key.bytes, peer->row.key, sizeof key.bytes);
    struct pending_key *request =
        peer->row.pinned ? pending_keys_find(&node->pending_keys, &key) : NULL;
    if (request == NULL || peer->row.trust == PEER_BLOCKED)
        return;
    struct link *link = request->link;
    pending_keys_remove(&node->pending_keys, request);
    if (link == NULL || link->state != LINK_ACTIVE)
        return;
    peer_link_up(peer, link);
    session_approve(link->session, loop_now(node->runtime.loop));
    link_touch(link);
}
