/* SPDX-License-Identifier: ISC */
/*
 * What a joiner shows to prove that it holds an invite: an id to find the invite by, and a MAC that
 * is bound to this connection and this joiner.
 */
#pragma once

#include "base/fingerprint.h"
#include "crypto/digest.h"

enum { INVITE_SECRET_SIZE = 16, INVITE_ID_SIZE = 16, INVITE_MAC_SIZE = 32 };

/* SHA-256("p2pchat/1 invite id\0" || secret), first half. 0 or -EIO. */
int invite_proof_id(const uint8_t secret[static INVITE_SECRET_SIZE],
                    uint8_t id[static INVITE_ID_SIZE]);

/* HMAC-SHA-256(secret, "p2pchat/1 invite\0" || T2 || fingerprint of the joiner). 0 or -EIO. */
int invite_proof_mac(const uint8_t secret[static INVITE_SECRET_SIZE],
                     const uint8_t transcript[static SHA256_SIZE], const struct fingerprint *joiner,
                     uint8_t mac[static INVITE_MAC_SIZE]);
