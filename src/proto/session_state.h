/* SPDX-License-Identifier: ISC */
/*
 * The inside of a session, shared by the session_*.c files and by nobody else.
 *
 *     session.c         life, phases, the owner's calls
 *     session_input.c   bytes to frames to records to events
 *     session_output.c  records to packets, last words
 *     session_timer.c   deadlines
 */
#pragma once

#include "proto/batch.h"
#include "proto/epoch.h"
#include "proto/frame.h"
#include "proto/handshake.h"
#include "proto/hello.h"
#include "proto/pings.h"
#include "proto/session.h"
#include "proto/window.h"

/* What the owner has to answer before anything more is read. */
enum session_question {
    QUESTION_NONE,
    QUESTION_ADMIT,     /* session_admit() or session_reject() */
    QUESTION_ESTABLISH, /* session_establish() or session_reject() */
};

/* Answers that wait for a packet; a peer that makes us gather more does not read. */
enum { SESSION_ANSWERS_MAX = 4096 };

struct session {
    enum session_role role;
    enum session_phase phase;
    const struct identity *self;
    uint64_t started_ms;
    uint64_t established_ms;

    struct handshake *handshake; /* until the session is established */
    struct pubkey *peer;         /* since then */
    bool tagged;                 /* the handshake got to CONFIRM_J … */
    struct secret tag;           /* … and this names the link */
    enum session_question question;
    struct handshake_invite invite;
    enum suite suite;                         /* since the peer identified itself */
    uint32_t features;                        /* what we offer … */
    uint32_t peer_features;                   /* … and the peer, since it identified itself */
    const uint8_t *instance;                  /* ours, or NULL */
    bool instance_heard;                      /* the peer's */
    bool met_own_key;                         /* the handshake ended so … */
    bool greeted;                             /* … it had a HELLO_J … */
    uint8_t joiner_random[HELLO_RANDOM_SIZE]; /* … and this names it */
    bool approved_here;
    bool approved_there;
    bool approved_at_once; /* both, when the session was established */

    /* The frame that is coming in. */
    uint8_t header[FRAME_HEADER_SIZE];
    size_t header_size;
    struct bytes body;

    /* What it contained: records that are opened but not yet applied. They lie in `body`. */
    struct reader records;
    uint64_t input_ms;    /* when something came last … */
    uint64_t arrival_ms;  /* … and when something of ours was known to have arrived */
    uint64_t patience_ms; /* an answer may take so long here */

    /* Events that wait for the owner, in the order in which they are told. */
    struct session_event end;
    bool opened;
    struct session_event event;

    bool keyed; /* `sid` and `epoch` are valid: we speak packets */
    uint8_t sid[SHA256_SIZE];
    struct epoch epoch;

    uint64_t items_received;
    uint64_t committed; /* of them, as the owner says */
    uint64_t committed_told;
    struct window window;
    struct batch batch;
    struct pings pings;
    uint64_t doubted_ms; /* when there was reason to doubt the link last; 0 for never */

    struct bytes answers; /* PONG, APPROVE, INSTANCE and CLONED records */
    struct bytes lanes;   /* records about lanes and ways */
    struct bytes items;   /* MESSAGE records, from items_start on */
    size_t items_start;
    struct bytes ready; /* bytes for the wire: handshake frames, last words */
};

/* The only place that changes the phase. */
void session_enter(struct session *session, enum session_phase phase);

/* Takes sid and first keys from the handshake. 0 or -errno. */
int session_take_keys(struct session *session, uint64_t now_ms);

/* OPEN once both sides have approved. */
void session_open_if_approved(struct session *session);

/* Ends the session without a word: wipes all keys and tells the owner. */
void session_end(struct session *session, enum close_code code, bool by_peer, const char *detail);

/* Ends the session with a last word to the peer, where the state has one. */
void session_fail(struct session *session, enum close_code code, const char *detail);

/* Ends the session unless `r`, of a handshake function or 0 or -errno, is 0. Returns r == 0. */
bool session_survives(struct session *session, int r);

/* Appends a CLOSE packet to the bytes that are ready, best effort. */
void session_say_close(struct session *session, enum close_code code);

/* Whether packets may be sent and received. */
bool session_established(const struct session *session);

/* Starts a rekey if one is due, and ends the session if one is overdue. */
void session_check_epoch(struct session *session, uint64_t now_ms);
