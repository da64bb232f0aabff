/* SPDX-License-Identifier: ISC */
/*
 * The key schedule: from the shared secrets of the handshake to one key per packet.
 *
 *     share  --> HS = Extract(T2, .) --> hs joiner, hs host            seal the handshake
 *                 |          \--------> tag                            names the link (gone.h)
 *     K ------> MS = Extract(X(HS, "mix", T4), .) --> confirm joiner, confirm host
 *                 |
 *                 +-- with SID --> root, chain joiner, chain host      an epoch
 *                                   |
 *     share  --> RS = Extract(X(root, "rekey", R), .) --> the same     the next epoch
 *
 *     chain --> "packet": key of one packet, "next": the following chain
 *
 * All functions give 0 or -EIO. Nothing is wiped here but temporaries: whoever holds a secret wipes
 * it.
 */
#pragma once

#include "crypto/digest.h"
#include "crypto/secret.h"
#include "proto/role.h"

/* The secrets of a handshake, in the order in which they come to be; one for each sender. */
struct handshake_secrets {
    struct secret hs;
    struct secret seal[SIDES]; /* "hs joiner", "hs host" */
    struct secret tag;
    struct secret ms;
    struct secret confirm[SIDES];
};

/* What an epoch of a session starts from. */
struct epoch_secrets {
    struct secret root;
    struct secret chain[SIDES];
};

/* Fills hs, the sealing keys and the tag key from the key exchange. */
int keyschedule_exchange(struct handshake_secrets *secrets, const uint8_t t2[static SHA256_SIZE],
                         struct span shared);

/* Fills ms and the confirm keys by mixing the host's secret K in. */
int keyschedule_mix(struct handshake_secrets *secrets, const uint8_t t4[static SHA256_SIZE],
                    const struct secret *transported);

/* The first epoch. */
int keyschedule_session(const struct handshake_secrets *secrets,
                        const uint8_t sid[static SHA256_SIZE], struct epoch_secrets *epoch);

/* The epoch after the one that had `root`; `binding` is the hash of the exchanged records. */
int keyschedule_rekey(const struct secret *root, const uint8_t binding[static SHA256_SIZE],
                      struct span shared, struct epoch_secrets *epoch);

/*
 * X(secret, label, context), what all of these are made of: HKDF-Expand with the info
 * "p2pchat/1 " || label || 0 || context; the context has SHA256_SIZE bytes, or is NULL for none.
 */
int keyschedule_expand(const struct secret *secret, const char *label, const uint8_t *context,
                       struct secret *derived);

/* Gives the key of the next packet and moves the chain on. */
int keyschedule_ratchet(struct secret *chain, struct secret *packet_key);
