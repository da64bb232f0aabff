/* SPDX-License-Identifier: ISC */
/*
 * One direction of the sealed part of a handshake: frames under one key, counted from 0.
 *
 *     +--------+------+-------------------------+-----+
 *     | length | type | AES-256-GCM(plaintext)  | tag |      IV = u32 0 || u64 count
 *     +--------+------+-------------------------+-----+      additional data = the five header
 * bytes
 */
#pragma once

#include "base/bytes.h"
#include "base/outcome.h"
#include "crypto/secret.h"
#include "proto/frame.h"

enum seal_outcome {
    SEAL_BROKEN = OUTCOME_SEAL, /* changed on the way, out of order or under another key */
};

struct seal {
    struct secret key;
    uint64_t count;
};

/* Appends the plaintext as a sealed frame. 0, -ENOMEM or -EIO. */
int seal_frame(struct seal *seal, enum frame_type type, struct span plaintext, struct bytes *out);

/* Opens a body into `plaintext`, body.size - AEAD_TAG_SIZE bytes. 0, SEAL_BROKEN or -EIO. */
int seal_open(struct seal *seal, struct frame_header header, struct span body, uint8_t *plaintext);
