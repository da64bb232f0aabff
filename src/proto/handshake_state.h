/* SPDX-License-Identifier: ISC */
/*
 * The inside of a handshake, shared by the halves of the two roles and by nobody else.
 */
#pragma once

#include "proto/confirm.h"
#include "proto/handshake.h"
#include "proto/hello.h"
#include "proto/seal.h"

enum handshake_state {
    HANDSHAKE_WAIT_HELLO,      /* for the other side's HELLO; nothing is sealed yet */
    HANDSHAKE_WAIT_IDENTITY,   /* for IDENT or KEY */
    HANDSHAKE_ASK_ADMISSION,   /* for our owner: is this identity welcome? */
    HANDSHAKE_WAIT_CONFIRM,    /* for CONFIRM_J or CONFIRM_H */
    HANDSHAKE_ASK_ESTABLISHED, /* for our owner: may this session exist? */
    HANDSHAKE_DONE,            /* the keys are handed over */
};

struct handshake;

/*
 * What a role does in its own way; each half of the handshake has its own. All functions give 0, a
 * close code or -errno.
 */
struct handshake_role {
    const char *name;
    enum session_side ours;
    /* The frames of the other side, in the order in which they come. */
    enum frame_type hello;
    enum frame_type identity;
    enum frame_type confirm;
    uint32_t clear_alert_size; /* of the alert that may come instead of the HELLO; 0 for none */
    bool confirms_last;        /* once it has confirmed, the session may exist for the other side */
    int (*start)(struct handshake *handshake, struct bytes *out);
    int (*take_hello)(struct handshake *handshake, struct span body, struct bytes *out);
    int (*take_identity)(struct handshake *handshake, struct span plaintext);
    int (*admit)(struct handshake *handshake, struct bytes *out);
};

extern const struct handshake_role handshake_joiner;
extern const struct handshake_role handshake_host;

struct handshake {
    enum handshake_state state;
    const struct handshake_role *role;
    const struct identity *self;
    const uint8_t *invite_secret; /* joiner: borrowed, or NULL */
    const struct gone *former;    /* joiner: until HELLO_J is made; links to name, or NULL */

    struct sha256_state *transcript; /* of all plaintexts so far */
    uint8_t hash[SHA256_SIZE];       /* its value after the last frame: T2, T3, … */

    unsigned suites;          /* that we offer or take */
    enum suite suite;         /* that is spoken, once both HELLOs are there */
    struct hello hello;       /* ours */
    struct exchange exchange; /* joiner: until HELLO_H */
    struct handshake_secrets secrets;
    struct seal sending;
    struct seal receiving;

    uint32_t features;      /* ours */
    uint32_t peer_features; /* since the peer is authenticated */
    struct pubkey *peer;
    struct handshake_invite invite;           /* host */
    uint8_t joiner_random[HELLO_RANDOM_SIZE]; /* host: what the names are made with … */
    uint8_t gone[GONE_SIZE];                  /* … that the joiner gave */
    size_t gone_size;
    uint8_t wrapped[PUBKEY_MODULUS_MAX]; /* joiner: KEY's secret, unwrapped only after admission */
    bool met_own_key;                    /* the other side proved to have our private key */
    bool approved_here;
    bool approved_there;
    bool answers_hello; /* host: a HELLO_J came, so a clear alert may be the answer */
    const char *complaint;
};

/* The only place that changes the state. */
void handshake_enter(struct handshake *handshake, enum handshake_state state);

/* Notes the reason and returns the code, for `return handshake_fail(...)`. */
int handshake_fail(struct handshake *handshake, enum close_code code, const char *complaint);

/* Adds a frame's plaintext to the transcript and takes its value. 0 or -EIO. */
int handshake_record(struct handshake *handshake, enum frame_type type, struct span plaintext);

/* From the shared secret to the keys that seal the rest; both HELLOs are in the transcript. */
int handshake_agree(struct handshake *handshake, const struct hello *other,
                    const struct exchange_secret *secret);

/* Records the plaintext and appends the frame that it becomes. 0 or -errno. */
int handshake_send(struct handshake *handshake, enum frame_type type, struct span plaintext,
                   struct bytes *out);

/* Checks the peer's key and its signature, in the order that gives nothing away. */
int handshake_authenticate(struct handshake *handshake, struct span spki,
                           enum signature_purpose purpose, struct span prefix,
                           struct span signature);

/* Signs transcript || plaintext[0 .. prefix_size - 1], into the bytes behind it. 0 or -EIO. */
int handshake_sign(struct handshake *handshake, enum signature_purpose purpose, uint8_t *plaintext,
                   size_t prefix_size);

/* Our CONFIRM. 0 or -EIO. */
int handshake_make_confirm(struct handshake *handshake, uint8_t message[static CONFIRM_SIZE]);
