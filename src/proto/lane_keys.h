/* SPDX-License-Identifier: ISC */
/*
 * Where the keys of a lane come from: the host of a session hands out a secret in one of its
 * signed packets, and the joiner shows on a second connection that it has it.
 *
 *     0    5         13         29         61     93
 *     +----+---------+----------+----------+------+
 *     | hd | magic   | lane id  | random_J | mac  |     ATTACH, the first frame of that connection
 *     +----+---------+----------+----------+------+
 *
 *     LK = Extract(SID, secret)         mac = HMAC(X(LK, "lane attach"), all before it)
 *     T  = SHA-256(ATTACH)              root, chain joiner, chain host = X(LK, "lane …", T)
 *
 * A secret is good for one ATTACH; the side that gave it out sees to that. Later the host sends
 * another one (LANE_KEY) in a newer epoch of the session, and all keys change:
 *
 *     G = SHA-256(LANE_KEY)             LK = Extract(X(root, "lane rekey", G), secret)
 */
#pragma once

#include "base/outcome.h"
#include "crypto/digest.h"
#include "crypto/secret.h"
#include "proto/frame.h"

enum {
    LANE_ID_SIZE = 16,
    LANE_ATTACH_SIZE = 93, /* with its header */
};

enum lane_keys_outcome {
    LANE_KEYS_FORGED = OUTCOME_LANE_KEYS, /* the ATTACH was made without the secret */
};

/* What the host hands out. */
struct lane_offer {
    uint8_t id[LANE_ID_SIZE];
    struct secret secret;
};

/* What one generation of a lane's keys starts from. */
struct lane_secrets {
    struct secret root;
    struct secret chain_joiner;
    struct secret chain_host;
};

/* Makes an offer. 0 or -EIO. */
int lane_offer_make(struct lane_offer *offer);

/* Joiner: writes the ATTACH for an offer and derives the first keys. 0 or -EIO. */
int lane_attach_make(const uint8_t sid[static SHA256_SIZE], const struct lane_offer *offer,
                     uint8_t frame[static LANE_ATTACH_SIZE], struct lane_secrets *secrets);

/* Whether a connection that begins with this header may be one of a lane. */
bool lane_attach_begins(const uint8_t header[static FRAME_HEADER_SIZE]);

/* The lane id in a whole ATTACH, or NULL when it is none. Nothing is proven by it. */
const uint8_t *lane_attach_id(const uint8_t frame[static LANE_ATTACH_SIZE]);

/* Host: checks the ATTACH (in constant time) and derives the first keys. 0, LANE_KEYS_FORGED or
 * -EIO. */
int lane_attach_check(const uint8_t sid[static SHA256_SIZE], const struct lane_offer *offer,
                      const uint8_t frame[static LANE_ATTACH_SIZE], struct lane_secrets *secrets);

/*
 * The keys of the next generation, from the root of this one and the whole LANE_KEY record, whose
 * last SECRET_SIZE bytes are the secret. 0 or -EIO.
 */
int lane_rekey(const struct secret *root, struct span record, struct lane_secrets *secrets);
