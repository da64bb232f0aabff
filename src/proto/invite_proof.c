/* SPDX-License-Identifier: ISC */
/*
 * The two values that an invite's secret yields. Which invites exist and are still good is the
 * store's business.
 */
#include "proto/invite_proof.h"

#include <string.h>

#include "crypto/kdf.h"

int invite_proof_id(const uint8_t secret[static INVITE_SECRET_SIZE],
                    uint8_t id[static INVITE_ID_SIZE])
{
    static const char context[] = "p2pchat/1 invite id";
    const struct span parts[] = {SPAN(context, sizeof context), SPAN(secret, INVITE_SECRET_SIZE)};
    uint8_t hash[SHA256_SIZE];
    int r = sha256(parts, 2, hash);
    if (r == 0)
        memcpy(id, hash, INVITE_ID_SIZE);
    return r;
}

int invite_proof_mac(const uint8_t secret[static INVITE_SECRET_SIZE],
                     const uint8_t transcript[static SHA256_SIZE], const struct fingerprint *joiner,
                     uint8_t mac[static INVITE_MAC_SIZE])
{
    static const char context[] = "p2pchat/1 invite";
    const struct span parts[] = {
        SPAN(context, sizeof context),
        SPAN(transcript, SHA256_SIZE),
        SPAN(joiner->bytes, FINGERPRINT_SIZE),
    };
    return hmac_sha256(SPAN(secret, INVITE_SECRET_SIZE), parts, 3, mac);
}
