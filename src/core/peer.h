/* SPDX-License-Identifier: ISC */
/*
 * One known peer: what is stored about it, its link, and the dialling that brings the link up.
 *
 * A peer with addresses is dialled whenever it has no link; one without waits to be called. Either
 * side may succeed first.
 */
#pragma once

#include "base/bucket.h"
#include "base/hash.h"
#include "base/list.h"
#include "core/attempts.h"
#include "core/former.h"
#include "core/hearsay.h"
#include "core/links.h"
#include "core/redial.h"
#include "core/round.h"
#include "core/suspicion.h"
#include "proto/session.h"
#include "store/peers.h"
#include "store/queue.h"

enum { PEER_ERROR_MAX = ATTEMPT_ERROR_MAX };

enum peer_state {
    PEER_OFFLINE,    /* nothing is tried: no address, told not to, or the node stops */
    PEER_CONNECTING, /* TCP connections are being made */
    PEER_HANDSHAKE,  /* our dial is shaking hands */
    PEER_WAITING,    /* authenticated; the other side has yet to approve us */
    PEER_ONLINE,     /* an open session */
    PEER_BACKOFF,    /* waiting before the next dial */
};

struct peer {
    struct list node;    /* in the roster, and in its tables */
    struct list stirred; /* in the list of those to look at when the turn ends */
    struct list full;    /* in the list of those that ran into a limit of quota.h */
    struct hash_node by_key, by_name, by_id;
    const struct runtime *runtime;
    struct links *links;
    struct peer_row row;
    enum peer_state state;
    uint64_t since_ms;                    /* wall clock, of the state */
    struct link *link;                    /* its session, or NULL … */
    uint64_t link_ms;                     /* … monotonic, since when */
    struct former former;                 /* links that ended, and that it may believe to live */
    struct redial redial;                 /* what the decision to dial is made from … */
    struct round *rounds[REDIAL_CLASSES]; /* … and what came of it, or NULL */
    struct timer *timer;                  /* for the next decision … */
    uint64_t next_dial_ms;                /* … and when that is by the wall clock, for people */
    struct address last; /* numeric: by which our dial made the latest session; no host for none */
    struct hearsay hearsay;          /* where it says that it is */
    bool silenced;                   /* people asked for no link */
    bool stored;                     /* scratch of undoing a turn: its row exists */
    bool counted;                    /* in the roster's number of adopted ones */
    bool seen_online;                /* what observers were told last … */
    bool seen_otherwise;             /* … and somebody was shown something else in this turn */
    char last_error[PEER_ERROR_MAX]; /* of the last failure, "" for none */
    uint64_t error_ms;               /* wall clock, of last_error */
    unsigned failed_dials;           /* since there was a session */
    struct attempts attempts;
    struct bucket keys;         /* its share of our private key */
    struct queue_session given; /* how far the session has come in the queue */
    bool held_told;             /* people know that it can't take all of it … */
    bool unreadable_told;       /* … and that some of it can't be read from the store */
    bool differing_told;        /* people know that it gives an id to two messages */
    bool giving_due;            /* there may be more to give to it, or room for it */
    struct suspicion suspicion;
    uint64_t cloned_ms;           /* wall clock, last sign that two have its key; 0 for none */
    uint64_t kept_out_ms;         /* monotonic, since when it has another link with our key */
    uint64_t seen_ms;             /* wall clock, when the last session ended; 0: none did */
    uint64_t received, delivered; /* messages, since the start of the process */
    uint64_t rtt_ms;              /* of the last PING; UINT64_MAX if never measured */
};

/* Makes a peer of a stored row, offline; its dials become `links`. 0 or -errno. */
int peer_new(struct peer **peer, const struct runtime *runtime, struct links *links,
             const struct peer_row *row);

/* Frees the peer; its links are not told. */
void peer_free(struct peer *peer);

/* "offline", "connecting", "handshake", "online", "backoff". */
const char *peer_state_name(enum peer_state state);

/* Its trust, which is PEER_CHANGED while another key has answered in its place. */
enum peer_trust peer_trust(const struct peer *peer);

/* Whether the key may be sent to: pinned, not changed, not blocked. */
bool peer_trusted(const struct peer *peer);

/* Whether it has these features, as far as is known: one that was never met may. */
static inline bool peer_has(const struct peer *peer, uint32_t features)
{
    return !peer->row.met || (features & ~peer->row.features) == 0;
}

/* Whether it has to speak a suite that the link's session is not in. */
static inline bool peer_needs_stronger(const struct peer *peer, const struct link *link)
{
    return peer->row.require_pq && session_suite(link->session) != SUITE_HYBRID;
}

/* Whether its messages are not read for now: quota.h. */
static inline bool peer_full(const struct peer *peer)
{
    return !list_empty(&peer->full);
}

/* Forgets what came of earlier dials. */
void peer_forget_attempts(struct peer *peer);

/* Forgets by which address it was reached last. 0, DB_FULL or -EIO. */
int peer_forget_way(struct peer *peer);

/* Starts dialling now if there is reason to and it isn't done already. */
void peer_dial(struct peer *peer);

/* The same, giving up the present wait or attempt. */
void peer_dial_at_once(struct peer *peer);

/*
 * The first dial of a new process: the side with the larger fingerprint leaves the other one a
 * moment, so that dials cross rarely.
 */
void peer_start(struct peer *peer);

/* Something waits for the peer: a long wait for the next dial is cut short. */
void peer_urge(struct peer *peer);

/*
 * This machine has other addresses or routes: a peer without a link is dialled at once, unless it
 * refused us. A connection in the making starts over, a handshake goes on.
 */
void peer_network_changed(struct peer *peer);

/* Ends dialling, whatever its stage. */
void peer_stop_dialling(struct peer *peer);

/* If the link is one that we dialled, and not yet the peer's: the round that it belongs to. */
struct round *peer_round_of(const struct peer *peer, const struct link *link);

/* It was `other` that was dialled: the attempt goes on as one of this peer. */
void peer_take_attempt(struct peer *peer, struct peer *other);

/* There may be something to send to it, or to tell of it, when the turn ends. */
void peer_stir(struct peer *peer);

/* There may be more in its queue to give to it, or room for it: that is done when the turn ends. */
void peer_touch_queue(struct peer *peer);

/*
 * Somebody is shown the state in the middle of a turn: observers are told of what it becomes, even
 * if that is what they know.
 */
void peer_note_shown(struct peer *peer);

/* The peer's session exists from now on. */
void peer_link_up(struct peer *peer, struct link *link);

/* The other side has not approved us yet. */
void peer_link_waits(struct peer *peer);

/* Both sides have approved. 0, DB_FULL or -EIO. */
int peer_link_open(struct peer *peer);

/* The peer's session is over. */
void peer_link_down(struct peer *peer, const struct link_end *end);
