/* SPDX-License-Identifier: ISC */
/*
 * Admission: who comes in, and what is remembered of it.
 */
#define LOG_COMPONENT "admission"
#include "core/admission.h"

#include <string.h>

#include "base/log.h"
#include "base/shell.h"
#include "core/node_outcome.h"
#include "store/invites.h"

static void reject(struct admission *admission, struct link *link, enum close_code code)
{
    session_reject(link->session, code, loop_now(admission->runtime->loop));
}

static bool is_refusal(enum trust_verdict verdict)
{
    return verdict == TRUST_REFUSE || verdict == TRUST_ALARM || verdict == TRUST_ELSEWHERE ||
           verdict == TRUST_WEAK;
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

/* --- invites ---------------------------------------------------------------------------------- */

/* The good invite that the joiner proved to hold. 0, NODE_MISMATCH or -errno. */
static int find_invite(const struct admission *admission, const struct link *link,
                       struct invite_row *invite)
{
    const uint8_t *id = session_invite_id(link->session);
    uint8_t secret[PEER_INVITE_SIZE];
    int r = id == NULL ? DB_NOT_FOUND : invites_get(admission->runtime->db, id, invite);
    if (r == 0)
        r = body_sealer_open_secret(admission->body_sealer, INVITE_GIVEN,
                                    SPAN(invite->id, sizeof invite->id), invite->sealed, secret);
    if (r == BODY_SEALER_DAMAGED)
        log_warning("an invite can't be read from the store; make a new one: p2pchatctl invite");
    if (r < 0)
        return r;
    bool good = r == 0 && loop_wall(admission->runtime->loop) < invite->expires_ms &&
                session_invite_proven(link->session, secret);
    secret_wipe(secret, sizeof secret);
    return good ? 0 : NODE_MISMATCH;
}

/*
 * Whether the joiner that SESSION_IDENTIFIED was about proved to hold an invite that is good now.
 * One that is unknown, expired or used is as none.
 */
static bool holds_invite(struct admission *admission, const struct link *link)
{
    struct invite_row invite;
    int r = find_invite(admission, link, &invite);
    if (r < 0)
        runtime_fail(admission->runtime, r);
    return r == 0;
}

/* The name that the invite gives, unless it gives none or another peer got it meanwhile. */
static const char *choose_name(const struct admission *admission, const struct invite_row *invite)
{
    return roster_check_name(admission->roster, invite->name) == 0 ? invite->name : NULL;
}

/*
 * Uses up the invite of a joiner and makes a peer of it. 0, NODE_MISMATCH (it was used, revoked or
 * ran out since holds_invite()), another outcome or -errno.
 */
static int use_invite(struct admission *admission, const struct link *link, struct peer **peer)
{
    struct invite_row invite;
    int r = find_invite(admission, link, &invite);
    if (r == 0)
        r = pubkey_check(session_peer(link->session));
    if (r == 0)
        r = roster_adopt(admission->roster, choose_name(admission, &invite), link_fingerprint(link),
                         PEER_VERIFIED, peer);
    if (r == 0)
        r = outcome_of_store(invites_remove(admission->runtime->db, invite.id));
    return r;
}

/* --- two peers that are one ------------------------------------------------------------------- */

/* Makes them one peer, as merging_try() does. */
static int merge(struct admission *admission, struct peer *keyless, struct peer *nameless,
                 bool *merged)
{
    int r = merging_try(admission->merging, keyless, nameless, merged);
    if (!*merged)
        return r;
    if (nameless->link != NULL && peer_needs_stronger(nameless, nameless->link))
        link_close(nameless->link, CLOSE_REFUSED);
    peer_touch_queue(nameless);
    return 0;
}

/* --- the verdict ------------------------------------------------------------------------------ */

/* The dialled peer's key seems to be another one: people must know, nothing is sent. */
static void raise_alarm(struct admission *admission, struct peer *peer,
                        const struct fingerprint *key)
{
    char text[FINGERPRINT_TEXT_MAX];
    fingerprint_format(key, text);
    log_event(LOG_LEVEL_ERROR, "peer-key-changed", peer->row.name,
              "another key answered at the peer's address: %s; if the peer really has a new key: "
              "p2pchatctl peer accept %s --fingerprint %s",
              text, shell_word(peer->row.name).text, text);
    bool news = !peer->row.offered || memcmp(peer->row.offered_key, key->bytes, PEER_KEY_SIZE);
    int r = news ? roster_doubt(admission->roster, peer, key) : 0;
    if (r < 0)
        runtime_fail(admission->runtime, r);
}

/* Somebody else answered at the dialled peer's address. */
static void note_stranger(const struct admission *admission, const struct link *link)
{
    const struct fingerprint *key = link_fingerprint(link);
    const struct peer *owner = roster_by_key(admission->roster, key);
    char text[FINGERPRINT_TEXT_MAX];
    fingerprint_format(key, text);
    log_event(LOG_LEVEL_NOTICE, "peer-elsewhere", link->peer->row.name,
              "%s%s answered at %s instead: give %s its right addresses: p2pchatctl peer set %s "
              "ADDRESS...",
              owner != NULL ? "peer " : "somebody with the key ",
              owner != NULL ? owner->row.name : text, stream_origin(link->stream)->text,
              link->peer->row.name, shell_word(link->peer->row.name).text);
}

/* Whoever is refused is told no more than that. */
static void note_weakness(const struct admission *admission, const struct link *link)
{
    const struct peer *owner = roster_by_key(admission->roster, link_fingerprint(link));
    const char *name = owner != NULL ? owner->row.name : link->peer->row.name;
    log_warning(
        "%s has to speak a post-quantum suite, and can't: it needs OpenSSL 3.5 or later; to "
        "do without: p2pchatctl peer set %s --require-pq=no",
        name, shell_word(name).text);
}

static enum trust_verdict judge(struct admission *admission, struct link *link)
{
    const struct fingerprint *key = link_fingerprint(link);
    const struct peer *owner = roster_by_key(admission->roster, key);
    const struct trust_case facts = {
        .role = session_role(link->session),
        .policy = admission->runtime->settings.unknown_peers,
        .known = owner != NULL,
        .blocked = owner != NULL && owner->row.trust == PEER_BLOCKED,
        .unnamed = owner != NULL && roster_unnamed(owner),
        .expected = link->peer != NULL,
        .expected_pinned = link->peer != NULL && link->peer->row.pinned,
        .expected_is_it = is_key_of(link->peer, key),
        .expected_online = link->peer != NULL && link->peer->link != NULL,
        .expected_there = link->given,
        .weak = (owner != NULL && peer_needs_stronger(owner, link)) ||
                (link->peer != NULL && peer_needs_stronger(link->peer, link)),
        .invited = owner == NULL && holds_invite(admission, link),
    };
    return trust_decide(&facts);
}

/*
 * The verdict on the link's identity, after what has to be done for it; TRUST_MERGE while that goes
 * on or is impossible. A disk without room undoes the turn, and all that was learnt about when to
 * try again.
 */
static enum trust_verdict reach_verdict(struct admission *admission, struct link *link)
{
    enum trust_verdict verdict = judge(admission, link);
    if (verdict != TRUST_MERGE)
        return verdict;
    housekeeping_look(admission->housekeeping, 0);
    if (!housekeeping_has_room(admission->housekeeping))
        return TRUST_MERGE;
    bool merged;
    int r = merge(admission, link->peer, roster_by_key(admission->roster, link_fingerprint(link)),
                  &merged);
    if (r < 0)
        runtime_fail(admission->runtime, r);
    return merged ? judge(admission, link) : TRUST_MERGE;
}

/* Whether one more that comes by itself may become a peer, if this is one. */
static bool has_place(const struct admission *admission, const struct link *link)
{
    return link->verdict != TRUST_PIN || is_joiner(link) || adoption_has_place(admission->adoption);
}

/* Whether our private key may work for this joiner now. */
static bool within_budget(struct admission *admission, struct link *link)
{
    uint64_t now = loop_now(admission->runtime->loop);
    if (is_joiner(link))
        return true;
    if (!has_place(admission, link))
        return false;
    if (link->verdict == TRUST_WELCOME)
        return bucket_take(&roster_by_key(admission->roster, link_fingerprint(link))->keys, now);
    if (link->verdict == TRUST_INVITED)
        return limits_invited_key(admission->limits, now);
    if (link->verdict == TRUST_ASK &&
        pending_keys_waiting(admission->pending_keys) >= LIMITS_PENDING_MAX)
        return false;
    return limits_stranger_key(admission->limits, now);
}

/* Whether people asked for no link with the peer that calls. */
static bool is_unwanted(const struct admission *admission, const struct link *link)
{
    return link->verdict == TRUST_WELCOME && !is_joiner(link) &&
           roster_by_key(admission->roster, link_fingerprint(link))->silenced;
}

/* An invite makes peers, and changes none: one that exists already keeps its name. */
static void note_needless_invite(const struct admission *admission, const struct link *link)
{
    if (!is_joiner(link) && session_invite_id(link->session) != NULL)
        log_info("%s shows an invite and is a peer already: its name stays, and the invite is good "
                 "for another one",
                 roster_by_key(admission->roster, link_fingerprint(link))->row.name);
}

/* Its owner wonders why it did not work, and the joiner is only told that it is unknown. */
static void note_useless_invite(const struct admission *admission, const struct link *link)
{
    char key[FINGERPRINT_TEXT_MAX];
    uint64_t restored_ms;
    if (is_joiner(link) || session_invite_id(link->session) == NULL)
        return;
    fingerprint_format(link_fingerprint(link), key);
    const bool restored =
        db_restored(admission->runtime->db, &restored_ms) == 0 && restored_ms != 0;
    log_notice("%s (%s) shows an invite that was used, was revoked or has expired%s; if you expect "
               "it, make a new one: p2pchatctl invite",
               stream_origin(link->stream)->text, key,
               restored ? ", or that was given before this store was restored from a backup" : "");
}

void admission_identified(struct admission *admission, struct link *link)
{
    link->verdict = reach_verdict(admission, link);
    if (link->verdict == TRUST_ALARM)
        raise_alarm(admission, link->peer, link_fingerprint(link));
    if (link->verdict == TRUST_ELSEWHERE)
        note_stranger(admission, link);
    if (link->verdict == TRUST_WEAK)
        note_weakness(admission, link);
    if (link->verdict == TRUST_WELCOME)
        note_needless_invite(admission, link);
    else if (link->verdict != TRUST_INVITED)
        note_useless_invite(admission, link);
    if (is_refusal(link->verdict))
        reject(admission, link, CLOSE_REFUSED);
    else if (link->verdict == TRUST_MERGE || is_unwanted(admission, link) ||
             !within_budget(admission, link))
        reject(admission, link, CLOSE_BUSY);
    else
        session_admit(link->session, link->verdict != TRUST_ASK,
                      loop_now(admission->runtime->loop));
}

/* The pin of first contact, in the transaction after which the session will exist. */
static int pin_first_contact(struct admission *admission, struct link *link)
{
    const struct fingerprint *key = link_fingerprint(link);
    int r = pubkey_check(session_peer(link->session));
    if (r != 0)
        return r;
    if (link->peer == NULL)
        return adoption_take(admission->adoption, key, &link->peer);
    if (link->peer->row.pinned)
        return is_key_of(link->peer, key) ? 0 : NODE_MISMATCH;
    return roster_pin(admission->roster, link->peer, key, PEER_TOFU);
}

/*
 * The peer's own key is here, which settles what was open about it: the invite that it gave us has
 * done its service, and an alarm about another key in its place is over.
 */
static int settle(struct admission *admission, struct link *link, struct peer *peer)
{
    if (!peer->row.offered && !peer->row.invited)
        return 0;
    int r = peer->row.invited ? pubkey_check(session_peer(link->session)) : 0;
    if (r != 0)
        return r;
    return roster_pin(admission->roster, peer, link_fingerprint(link),
                      peer->row.invited ? PEER_VERIFIED : peer->row.trust);
}

/* Whatever has to be on disk before the session exists. 0, an outcome or -errno. */
static int remember(struct admission *admission, struct link *link)
{
    int r = link->verdict == TRUST_PIN ? pin_first_contact(admission, link) : 0;
    struct peer *peer = roster_by_key(admission->roster, link_fingerprint(link));
    if (r != 0)
        return r;
    if (peer != NULL)
        return settle(admission, link, peer);
    /* People are only asked about a key that can be pinned when they say yes. */
    return link->verdict == TRUST_INVITED ? use_invite(admission, link, &peer)
                                          : pubkey_check(session_peer(link->session));
}

static void ask_people(struct admission *admission, struct link *link)
{
    const struct fingerprint *key = link_fingerprint(link);
    const char *origin = stream_origin(link->stream)->text;
    struct pending_key *request = pending_keys_add(admission->pending_keys, key, origin, link,
                                                   loop_wall(admission->runtime->loop));
    if (request == NULL)
        return; /* it may ask again when it dials next */
    char text[FINGERPRINT_TEXT_MAX];
    fingerprint_format(key, text);
    log_event(LOG_LEVEL_NOTICE, "peer-request", NULL,
              "unknown key %s asks from %s: p2pchatctl peer accept %s --name NAME", text, origin,
              text);
    admission->runtime->observer->request(admission->runtime->observer_context, request);
}

/* Whether one more stranger may wait: others may have come while this one was confirming. */
static bool may_wait(const struct admission *admission, const struct link *link)
{
    return link->verdict != TRUST_ASK ||
           pending_keys_waiting(admission->pending_keys) < LIMITS_PENDING_MAX;
}

/* People may have decided since the identity was judged, and what they said holds. */
static bool still_welcome(struct admission *admission, struct link *link)
{
    link->verdict = reach_verdict(admission, link);
    if (link->verdict == TRUST_ASK) /* too late if the other side was told that nobody need ask */
        return !session_approved_here(link->session);
    return !is_refusal(link->verdict);
}

/* Why the session may not exist; CLOSE_NORMAL when it may. */
static enum close_code find_objection(struct admission *admission, struct link *link)
{
    bool first = links_find(admission->links, link_fingerprint(link)) == NULL;
    if (first && admission->links->established_count >= admission->runtime->settings.max_links)
        return CLOSE_BUSY;
    if (!still_welcome(admission, link))
        return CLOSE_REFUSED;
    if (link->verdict == TRUST_MERGE)
        return CLOSE_BUSY;
    if (!links_resolve(admission->links, link, runtime_fingerprint(admission->runtime),
                       loop_now(admission->runtime->loop)))
        return CLOSE_DUPLICATE;
    return may_wait(admission, link) && has_place(admission, link) ? CLOSE_NORMAL : CLOSE_BUSY;
}

static void forget_request(struct admission *admission, const struct fingerprint *key)
{
    struct pending_key *request = pending_keys_find(admission->pending_keys, key);
    if (request != NULL)
        pending_keys_remove(admission->pending_keys, request);
}

/* What the other side is told when nothing could be remembered of it. */
static enum close_code explain(int r)
{
    switch (r) {
    case NODE_MISMATCH:
        return CLOSE_REFUSED;
    case PUBKEY_MALFORMED:
        return CLOSE_BAD_KEY;
    default:
        return CLOSE_INTERNAL_ERROR;
    }
}

void admission_confirmed(struct admission *admission, struct link *link)
{
    const struct fingerprint *key = link_fingerprint(link);
    enum close_code objection = find_objection(admission, link);
    if (objection != CLOSE_NORMAL) {
        reject(admission, link, objection);
        return;
    }
    int r = remember(admission, link);
    if (r != 0) {
        reject(admission, link, explain(r));
        if (r < 0)
            runtime_fail(admission->runtime, r);
        return;
    }
    links_establish(admission->links, link);
    link->establish_due = true;
    link_touch(link);
    struct peer *peer = roster_by_key(admission->roster, key);
    if (peer == NULL) {
        ask_people(admission, link);
        return;
    }
    if (!is_joiner(link))
        limits_note_peer(admission->limits, stream_origin(link->stream),
                         loop_now(admission->runtime->loop));
    forget_request(admission, key); /* first contact from this side has answered it */
    peer_link_up(peer, link);
    if (!session_approved_there(link->session))
        peer_link_waits(peer);
}

void admission_grant(struct admission *admission, struct peer *peer)
{
    struct fingerprint key;
    memcpy(key.bytes, peer->row.key, sizeof key.bytes);
    struct pending_key *request =
        peer->row.pinned ? pending_keys_find(admission->pending_keys, &key) : NULL;
    if (request == NULL || peer->row.trust == PEER_BLOCKED)
        return;
    struct link *link = request->link;
    pending_keys_remove(admission->pending_keys, request);
    if (link == NULL || link->state != LINK_ACTIVE)
        return;
    if (peer_needs_stronger(peer, link)) {
        link_close(link, CLOSE_REFUSED);
        return;
    }
    peer_link_up(peer, link);
    session_approve(link->session, loop_now(admission->runtime->loop));
    link_touch(link);
}
