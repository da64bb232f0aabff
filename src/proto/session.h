/* SPDX-License-Identifier: ISC */
/*
 * The protocol on one link, from the first HELLO to CLOSE: bytes and time in, bytes and events out.
 *
 * A session sees no socket, no clock and no store. Its owner
 *
 *   - gives it received bytes with session_input() and takes what happened with
 * session_next_event(),
 *   - takes the bytes to send with session_output() whenever the socket has room,
 *   - calls session_tick() when session_deadline() is reached,
 *   - answers two questions that the protocol can't: may this identity come in (SESSION_IDENTIFIED
 * -> session_admit() or session_reject()), and may this session exist beside the others
 *     (SESSION_CONFIRMED -> session_establish() or session_reject()).
 *
 * While a question or another event is open, session_input() takes no more bytes: the owner never
 * has to hold more than one frame's worth of events. Nothing about the peer is to be believed,
 * pinned or shown before session_establish().
 *
 * An internal failure (no memory, OpenSSL) ends the session with CLOSE_INTERNAL_ERROR as an event,
 * so most calls return nothing. Times are monotonic milliseconds. Keys are wiped as soon as the
 * session ends.
 */
#pragma once

#include "base/outcome.h"
#include "proto/close_code.h"
#include "proto/exchange.h"
#include "proto/invite_proof.h"
#include "proto/safety_number.h"
#include "proto/session_types.h"

enum {
    SESSION_HELLO_TIMEOUT_MS = 5000,
    SESSION_HANDSHAKE_TIMEOUT_MS = 10000,
    SESSION_FRAME_TIMEOUT_MS = 60000,    /* without a byte within a frame */
    SESSION_PENDING_TIMEOUT_MS = 300000, /* for people to approve */
    SESSION_PONG_TIMEOUT_MS = 10000,
    SESSION_DOUBT_TIMEOUT_MS = 3000, /* the same, when there is reason to doubt */
    SESSION_ACK_PATIENCE_MS = 30000, /* an item unacknowledged for so long asks for a PING */
};

enum session_phase {
    SESSION_HANDSHAKE, /* nothing is known of the peer */
    SESSION_PENDING,   /* authenticated; a person on either side has yet to approve */
    SESSION_OPEN,      /* items flow */
    SESSION_CLOSED,    /* over; session_output() may still hold the last words */
};

enum session_event_type {
    SESSION_NOTHING,    /* no event is waiting */
    SESSION_IDENTIFIED, /* the peer proved to own session_peer(); answer it */
    SESSION_CONFIRMED,  /* both sides derived the same keys; answer it */
    SESSION_OPENED,     /* both sides approved */
    SESSION_ITEM,       /* the peer sent an item; commit it, then session_acknowledge() */
    SESSION_ACKED,      /* the peer committed our items up to an ordinal */
    SESSION_PONG,       /* our PING was answered */
    SESSION_REKEYED,    /* a new epoch began */
    SESSION_LANE,       /* the peer says something of a lane */
    SESSION_TOLD,       /* the peer says where it can be reached */
    SESSION_INSTANCE,   /* the peer says which of all that may have its key it is */
    SESSION_CLONED,     /* the peer says that another one has our key */
    SESSION_ENDED,      /* the session is over */
};

/* One event. Spans in it live until the next session_next_event() or session_input(). */
struct session_event {
    enum session_event_type type;
    uint64_t ordinal; /* ITEM: its number in this session; ACKED: the highest committed … */
    uint64_t first;   /* … and the lowest that was not committed before */
    struct session_item item; /* ITEM */
    uint64_t token;           /* PONG */
    uint32_t epoch;           /* REKEYED */
    struct span lane;         /* LANE: the whole record, of a known class */
    struct span told;         /* TOLD: a body as in told.h */
    struct span instance;     /* INSTANCE, CLONED: INSTANCE_SIZE bytes, the peer's or ours … */
    struct span other;        /* … CLONED: and the other one's, all zero if not known */
    enum close_code code;     /* ENDED */
    bool by_peer;             /* ENDED: the peer said so; else we found a reason */
    const char *detail;       /* ENDED: static text for the log, or NULL */
};

enum session_outcome {
    SESSION_FULL = OUTCOME_SESSION, /* the window is full: try again after the next SESSION_ACKED */
};

struct session;

/* Starts a session; a joiner has its HELLO to send at once. 0, -ENOMEM or -EIO. */
int session_new(struct session **session, const struct session_settings *settings, uint64_t now_ms);
void session_free(struct session *session);

/* Takes received bytes, as many as it can use now, and returns how many. */
size_t session_input(struct session *session, struct span data, uint64_t now_ms);

/* The next event, or SESSION_NOTHING. */
struct session_event session_next_event(struct session *session);

/*
 * Appends to `out` what is ready to be sent: handshake frames, or one packet with the records that
 * have gathered. Nothing is appended when nothing is ready. Calling it only when the socket has
 * room is what makes records share packets and signatures.
 */
void session_output(struct session *session, struct bytes *out, uint64_t now_ms);

/* When session_tick() wants to be called next; UINT64_MAX for never. */
uint64_t session_deadline(const struct session *session);
void session_tick(struct session *session, uint64_t now_ms);

/* Answers SESSION_IDENTIFIED: go on; `approved` says that this side needs no more consent. */
void session_admit(struct session *session, bool approved, uint64_t now_ms);

/* Answers SESSION_CONFIRMED: the session exists from here on, PENDING or OPEN. */
void session_establish(struct session *session, uint64_t now_ms);

/* Answers either with no, telling the peer `code`. */
void session_reject(struct session *session, enum close_code code, uint64_t now_ms);

/* A person approved a PENDING session's peer. */
void session_approve(struct session *session, uint64_t now_ms);

/* Ends the session from this side, telling the peer `code` if possible. SESSION_ENDED follows. */
void session_close(struct session *session, enum close_code code, uint64_t now_ms);

/*
 * Queues an item; items get ordinals 1, 2, … in this order. 0, SESSION_FULL, -ENOMEM, -ENOTCONN
 * when not OPEN, or -EINVAL when the content is empty or too long, or the peer can't take its kind.
 */
int session_send_item(struct session *session, const struct session_item *item, uint64_t now_ms);

/* How many of our items the peer has yet to commit. */
size_t session_unacknowledged(const struct session *session);

/* The handle of the oldest of them, or 0 for none; also after the session has ended. */
int64_t session_oldest_item(const struct session *session);

/* The handle of an item that SESSION_ACKED speaks of, until the next session_send_item(). */
int64_t session_acked_item(const struct session *session, uint64_t ordinal);

/*
 * Queues a whole record about a lane; the features have STREAMS. What is queued after
 * SESSION_REKEYED leaves in the new epoch. 0, -ENOMEM or -ENOTCONN when not OPEN.
 */
int session_send_lane(struct session *session, struct span record);

/* Queues a list as in told.h. 0, -ENOMEM or -ENOTCONN when not OPEN. */
int session_tell(struct session *session, struct span body);

/*
 * Queues the news that there are two with the peer's key: the one here, by the instance that it
 * said, and another one (all zero if not known). 0, -ENOMEM or -ENOTCONN when not OPEN.
 */
int session_tell_cloned(struct session *session, const uint8_t here[static INSTANCE_SIZE],
                        const uint8_t other[static INSTANCE_SIZE]);

/* Bytes flowed on a lane: they age the keys as items do. */
void session_note_traffic(struct session *session);

/* What the signatures and lanes of this session are bound to: SHA256_SIZE bytes. */
const uint8_t *session_id(const struct session *session);

/* The items up to `ordinal` that the peer sent are on disk. */
void session_acknowledge(struct session *session, uint64_t ordinal);

/*
 * Asks for a PONG. Without one in time the session ends with CLOSE_IDLE_TIMEOUT. False for nothing
 * done: at most 4 are open and 6 sent in 10 seconds.
 */
bool session_ping(struct session *session, uint64_t token, uint64_t now_ms);

/* Something that we sent has arrived at the other end's kernel: a PONG may wait behind it. */
void session_note_arrival(struct session *session, uint64_t now_ms);

/* An answer may take so long on this wire: nothing ends for the lack of one before. 0 at first. */
void session_set_patience(struct session *session, uint64_t patience_ms);

/*
 * There is reason to believe that the peer can't be reached any more: asks for a PONG and ends the
 * session with CLOSE_IDLE_TIMEOUT if nothing shows for SESSION_DOUBT_TIMEOUT_MS that it can.
 */
void session_doubt(struct session *session, uint64_t now_ms);

enum session_role session_role(const struct session *session);
enum session_phase session_phase(const struct session *session);

/* Both flags are meaningful from SESSION_CONFIRMED on. */
bool session_approved_here(const struct session *session);
bool session_approved_there(const struct session *session);

/* Whether both were set at SESSION_CONFIRMED, of which both ends know the same. */
bool session_approved_at_once(const struct session *session);

/* Whether session_output() would have something. */
bool session_has_output(const struct session *session);

/* The peer's key, from SESSION_IDENTIFIED on; NULL before. Lives as long as the session. */
const struct pubkey *session_peer(const struct session *session);

/* Which suite protects the session, from SESSION_IDENTIFIED on; it never changes. */
enum suite session_suite(const struct session *session);

/*
 * From SESSION_IDENTIFIED on: the bits of features.h that both sides have, and all that the peer
 * says that it has, which is what to remember of it.
 */
uint32_t session_features(const struct session *session);
uint32_t session_peer_features(const struct session *session);

/*
 * Whether the link leads through somebody else, as both sides know: the joiner says so, to a host
 * that understands it. From SESSION_IDENTIFIED on.
 */
bool session_indirect(const struct session *session);

/*
 * What names the link when it is gone, also after its end. NULL if the other side cannot believe
 * that the session exists.
 */
const struct secret *session_tag(const struct session *session);

/* Host, at SESSION_CONFIRMED: whether the joiner says that the link of `former` is gone. */
bool session_says_gone(const struct session *session, const struct session *former);

/* Ended with CLOSE_SELF: whether the other side proved that it has our private key. */
bool session_met_own_key(const struct session *session);

/* Whether these are the two ends of one connection, as far as the joiner's HELLO got. */
bool session_other_end(const struct session *a, const struct session *b);

/*
 * Host, from SESSION_IDENTIFIED on: the id of the invite that the joiner shows, or NULL; and
 * whether the joiner proved to hold that secret (compared in constant time).
 */
const uint8_t *session_invite_id(const struct session *session);
bool session_invite_proven(const struct session *session,
                           const uint8_t secret[static INVITE_SECRET_SIZE]);
