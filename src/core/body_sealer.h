/* SPDX-License-Identifier: ISC */
/*
 * Message bodies at rest: they are sealed before they reach the store, those of one turn under one
 * key that no other turn has.
 *
 * The store key is random and independent of the identity: a thief of the identity can't read
 * the past, and destroying the store key destroys the history. A sealed body is bound to its
 * message id, kind, peer and direction, so that rows can't be swapped.
 *
 *      0   1  version  1: a text; 2: headers and bytes; 3: an offer of files; 4: what became of one
 *      1  16  salt     subkey = HKDF-Expand(store key, "p2pchat/1 body" || 0 || salt)
 *     17  12  IV, which counts the bodies under one subkey
 *     29   n  AES-256-GCM(subkey, IV, version || peer || direction || id, content) and tag (16)
 */
#pragma once

#include "base/bytes.h"
#include "base/outcome.h"
#include "base/uuid.h"
#include "crypto/secret.h"
#include "store/messages.h"

enum body_sealer_outcome {
    BODY_SEALER_DAMAGED = OUTCOME_BODY_SEALER, /* not what was sealed for this message */
};

struct body_sealer;

/* Takes a copy of the store key. 0 or -errno. */
int body_sealer_new(struct body_sealer **body_sealer, const struct secret *store_key);
void body_sealer_free(struct body_sealer *body_sealer);

/* What is sealed from now on gets another key. For the end of each turn. */
void body_sealer_turn(struct body_sealer *body_sealer);

/*
 * Appends the sealed form of the content of a message, of which the row has the peer, direction, id
 * and kind. 0 or -errno.
 */
int body_sealer_seal(struct body_sealer *body_sealer, const struct message_row *row,
                     struct span content, struct bytes *sealed);

/* Appends the content of a stored message. 0, BODY_SEALER_DAMAGED or -errno. */
int body_sealer_open(struct body_sealer *body_sealer, const struct message_row *row,
                     struct bytes *content);

/* What labels tell apart: an invite that we gave, by its id, and one that this key gave us. */
#define INVITE_GIVEN "p2pchat/1 invite given"
#define INVITE_TAKEN "p2pchat/1 invite taken"

enum {
    BODY_SEALER_SECRET_SIZE = 16,
    BODY_SEALER_SEALED_SIZE = 48, /* salt (16), AES-256-GCM(subkey, 0, owner, secret), tag (16) */
};

/*
 * Seals the secret of an invite under a key of its own, HKDF-Expand(store key, label || 0 || salt),
 * and bound to what it belongs to. 0 or -errno.
 */
int body_sealer_seal_secret(struct body_sealer *body_sealer, const char *label, struct span owner,
                            const uint8_t secret[static BODY_SEALER_SECRET_SIZE],
                            uint8_t sealed[static BODY_SEALER_SEALED_SIZE]);

/* Opens what the other made with the same label and owner. 0, BODY_SEALER_DAMAGED or -errno. */
int body_sealer_open_secret(struct body_sealer *body_sealer, const char *label, struct span owner,
                            const uint8_t sealed[static BODY_SEALER_SEALED_SIZE],
                            uint8_t secret[static BODY_SEALER_SECRET_SIZE]);

enum { BODY_SEALER_TAG_SIZE = 16 };

/*
 * A tag of data that nobody can make without the store key: HKDF-Expand(store key, label || 0 ||
 * parts) cut off; at most BODY_SEALER_PARTS_MAX parts. 0 or -errno.
 */
enum { BODY_SEALER_PARTS_MAX = 7 };
int body_sealer_tag(struct body_sealer *body_sealer, const char *label, const struct span *parts,
                    size_t count, uint8_t tag[static BODY_SEALER_TAG_SIZE]);
