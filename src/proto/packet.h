/* SPDX-License-Identifier: ISC */
/*
 * Packets: what travels once a session exists. One AES key for each, from the sender's chain.
 *
 *     0    5         21               21 + k                        5 + length
 *     +----+---------+----------------+---------------------+-----+
 *     | hd | nonce   | signature (k)  | content (c)         | tag |
 *     +----+---------+----------------+---------------------+-----+
 *                     \____ AES-256-GCM, k + c = 2^n ______/
 *
 *     nonce   = u32 epoch || u64 counter || u32 1       content = u32 size || records || zeros
 *
 * k is the sender's modulus size. The signature covers session, sender's role, nonce and content,
 * and is itself encrypted. The padding hides how much was said and how long the key is.
 */
#pragma once

#include "base/outcome.h"
#include "crypto/identity.h"
#include "proto/keyschedule.h"
#include "proto/session_types.h"

enum {
    PACKET_COUNTER_LIMIT = 1 << 20, /* no counter reaches it */
};

enum packet_outcome {
    PACKET_REJECTED = OUTCOME_PACKET, /* not the packet that had to come next from this peer */
};

/* One direction of a session. */
struct chain {
    struct secret key;
    uint32_t epoch;
    uint64_t counter; /* of the next packet */
};

/* What signatures are bound to. */
struct packet_sender {
    const uint8_t *sid; /* SHA256_SIZE bytes */
    enum session_role role;
};

/* How many bytes of records fit beside a signature of this modulus size. */
size_t packet_room(size_t payload_size, size_t modulus_size);

/* Appends a packet with these records and moves the chain on. 0, -ENOMEM or -EIO. */
int packet_seal(struct chain *chain, const struct identity *self, struct packet_sender sender,
                struct span records, struct bytes *out);

/*
 * Opens a packet's body, of legal length, in its place, and moves the chain on. *records lies in
 * it. 0, PACKET_REJECTED or -EIO.
 */
int packet_open(struct chain *chain, const struct pubkey *peer, struct packet_sender sender,
                struct bytes *body, struct span *records);
