/* SPDX-License-Identifier: ISC */
/*
 * The handshake of both roles: from nothing to two authenticated identities and fresh keys.
 *
 *     joiner                                    host
 *       | ---- HELLO_J ------------------------>  |    clear
 *       | <--- HELLO_H -------------------------  |    clear
 *       | ==== IDENT ==========================>  |    host asks its owner: admit?
 *       | <=== KEY =============================  |    joiner asks its owner: admit?
 *       | ==== CONFIRM_J ======================>  |    host asks its owner: establish?
 *       | <=== CONFIRM_H =======================  |    joiner asks its owner: establish?
 *
 * Each frame is accepted once and in this order. The order of checks within a frame decides what a
 * stranger can find out, so it is kept as it is: open, layout, own key, signature, and only then
 * the owner's policy. No RSA private operation happens on the host before that.
 *
 * Functions that take part in the exchange return 0, -errno for failures of our own, or as outcome
 * the enum close_code to end with; handshake_complaint() then has the reason for the log. Frames to
 * send are appended to `out`.
 */
#pragma once

#include "base/bytes.h"
#include "proto/close_code.h"
#include "proto/exchange.h"
#include "proto/frame.h"
#include "proto/invite_proof.h"
#include "proto/keyschedule.h"
#include "proto/session_types.h"

struct handshake;

/* What the host learns of an invite from IDENT. */
struct handshake_invite {
    bool shown;
    uint8_t id[INVITE_ID_SIZE];
    uint8_t mac[INVITE_MAC_SIZE];
    uint8_t transcript[SHA256_SIZE]; /* what the MAC is bound to */
};

/* Starts; a joiner's HELLO is appended. 0, -ENOMEM or -EIO. */
int handshake_new(struct handshake **handshake, const struct session_settings *settings,
                  struct bytes *out);

/* Wipes all keys; NULL is allowed. */
void handshake_free(struct handshake *handshake);

/* Judges a header before its body is read. 0 or a close code. */
int handshake_judge(struct handshake *handshake, struct frame_header header);

/* Takes the frame whose header was accepted; never an alert. */
int handshake_take(struct handshake *handshake, struct frame_header header, struct span body,
                   struct bytes *out);

/* Reads an alert whose header was accepted: 0 and the peer's code, or as above. */
int handshake_take_alert(struct handshake *handshake, struct frame_header header, struct span body,
                         enum close_code *code);

/* Appends the alert that this state allows, if any. Best effort, and the last thing to be done. */
void handshake_alert(struct handshake *handshake, enum close_code code, struct bytes *out);

/* Whether a question to the owner is open. */
bool handshake_asks_admission(const struct handshake *handshake);
bool handshake_asks_establishment(const struct handshake *handshake);

/* Whether the first HELLO of the other side has come. */
bool handshake_met(const struct handshake *handshake);

/* Whether this is a joiner that waits for CONFIRM_H: for the host the session may exist already. */
bool handshake_awaits_verdict(const struct handshake *handshake);

/* Answers the first question with yes: sends KEY or CONFIRM_J. */
int handshake_admit(struct handshake *handshake, bool approved, struct bytes *out);

/*
 * Answers the second with yes: a host sends CONFIRM_H. Gives the session id and the first keys. A
 * joiner may call it before its owner answers, to have the keys for a refusal.
 */
int handshake_finish(struct handshake *handshake, struct bytes *out,
                     uint8_t sid[static SHA256_SIZE], struct epoch_secrets *epoch);

/* The peer's key, from the first question on, NULL before; the second moves it to the caller. */
const struct pubkey *handshake_peer(const struct handshake *handshake);
struct pubkey *handshake_steal_peer(struct handshake *handshake);

/* What the joiner shows, for a host from the first question on. */
const struct handshake_invite *handshake_invite(const struct handshake *handshake);

/* Which suite is spoken; meaningful once handshake_met(). */
enum suite handshake_suite(const struct handshake *handshake);

/*
 * What names this link when it is gone (gone.h); NULL before CONFIRM_J, when neither side can
 * believe that it exists.
 */
const struct secret *handshake_tag(const struct handshake *handshake);

/* Host, from the first question on: whether the joiner says that the link with this tag is gone. */
bool handshake_says_gone(const struct handshake *handshake, const struct secret *tag);

/* Whether it ended with CLOSE_SELF, and the other side proved to have our private key. */
bool handshake_met_own_key(const struct handshake *handshake);

/* What names the connection: HELLO_RANDOM_SIZE bytes; NULL before the joiner said them. */
const uint8_t *handshake_joiner_random(const struct handshake *handshake);

/* What the peer says that it can do, from the first question on. */
uint32_t handshake_peer_features(const struct handshake *handshake);

/* The peer's flag, from the second question on. */
bool handshake_approved_there(const struct handshake *handshake);

/* Why the last call failed; static text, or NULL. */
const char *handshake_complaint(const struct handshake *handshake);
