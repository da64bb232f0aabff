/* SPDX-License-Identifier: ISC */
/*
 * A peer that does what a test wants: it knows the protocol and its keys, and lets the test change
 * every frame, plaintext and record before the session under test (the victim) gets it.
 */
#pragma once

#include "dialogue/rig.h"
#include "proto/epoch.h"
#include "proto/handshake_state.h"
#include "proto/packet.h"
#include "proto/record.h"
#include "proto/session_state.h"

struct puppet {
    enum session_role role;
    struct party victim; /* of the other role */
    uint64_t now_ms;

    struct handshake *handshake;
    struct bytes out;   /* the next frame for the victim; tests change it */
    struct bytes heard; /* what the victim said and was not read yet */
    uint8_t t2[SHA256_SIZE];

    bool established;
    uint8_t sid[SHA256_SIZE];
    struct epoch epoch;
};

/* The frames a puppet sends, by number: HELLO, identity, CONFIRM (a joiner's first one is HELLO_J).
 */
enum { PUPPET_HELLO = 0, PUPPET_IDENTITY = 1, PUPPET_CONFIRM = 2, PUPPET_PACKETS = 3 };

/*
 * Starts a puppet of `role` and plays honestly until the frame of that number is the next one to be
 * sent: it is in puppet->out then. With PUPPET_PACKETS the session is OPEN.
 */
void puppet_init(struct puppet *puppet, enum session_role role, unsigned frame);
void puppet_deinit(struct puppet *puppet);

/* Gives puppet->out, or any bytes, to the victim. */
void puppet_send(struct puppet *puppet);
void puppet_send_bytes(struct puppet *puppet, struct span data);

/* Opens the sealed frame in puppet->out, which must be a handshake frame; returns its size. */
size_t puppet_unseal(struct puppet *puppet, uint8_t *plaintext);

/* Puts another plaintext into that frame, sealed as the victim expects it. */
void puppet_reseal(struct puppet *puppet, struct span plaintext);

/* Signs as the puppet's identity over T2 or a later transcript. */
void puppet_sign(struct puppet *puppet, enum signature_purpose purpose, const uint8_t *transcript,
                 uint8_t *plaintext, size_t prefix_size);

/* Sends a packet with these records; they need not make sense. */
void puppet_send_records(struct puppet *puppet, struct span records);

/* The same with one record. */
void puppet_send_record(struct puppet *puppet, enum record_type type, const void *body,
                        size_t size);

/* Takes the next frame that the victim said, false if there is none. It lives until the next call.
 */
bool puppet_hear(struct puppet *puppet, struct frame_header *header, struct span *body);

/* Takes the next packet that the victim said and opens it; it must be one. Records live until the
 * next call. */
struct span puppet_hear_records(struct puppet *puppet);

/* How a victim ended, by what it said last. Each asserts that SESSION_ENDED has the code, too. */
void puppet_expect_silence(struct puppet *puppet, enum close_code code);
void puppet_expect_clear_alert(struct puppet *puppet, enum close_code code);
void puppet_expect_alert(struct puppet *puppet, enum close_code code);
void puppet_expect_close(struct puppet *puppet, enum close_code code);
