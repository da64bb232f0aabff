/* SPDX-License-Identifier: ISC */
/*
 * Making and checking of the CONFIRM messages; the keys come from the key schedule.
 */
#include "proto/confirm.h"

#include <string.h>

enum { FLAG_APPROVED = 1, MAC_AT = 1 + CHECKSUM_SIZE };

static int compute_mac(const struct secret *key, const uint8_t transcript[static SHA256_SIZE],
                       const uint8_t message[static CONFIRM_SIZE], uint8_t mac[static HMAC_SIZE])
{
    const struct span parts[] = {SPAN(transcript, SHA256_SIZE), SPAN(message, MAC_AT)};
    return hmac_sha256(SPAN(key->bytes, SECRET_SIZE), parts, 2, mac);
}

int confirm_make(const struct secret *key, const uint8_t transcript[static SHA256_SIZE],
                 const uint8_t checksum[static CHECKSUM_SIZE], bool approved,
                 uint8_t message[static CONFIRM_SIZE])
{
    message[0] = approved ? FLAG_APPROVED : 0;
    memcpy(message + 1, checksum, CHECKSUM_SIZE);
    return compute_mac(key, transcript, message, message + MAC_AT);
}

int confirm_check(const struct secret *key, const uint8_t transcript[static SHA256_SIZE],
                  const uint8_t checksum[static CHECKSUM_SIZE],
                  const uint8_t message[static CONFIRM_SIZE], bool *approved)
{
    uint8_t mac[HMAC_SIZE];
    int r;
    if ((message[0] & ~FLAG_APPROVED) != 0)
        return CONFIRM_MALFORMED;
    r = compute_mac(key, transcript, message, mac);
    if (r != 0)
        return r;

    bool same_identities = secret_equal(message + 1, checksum, CHECKSUM_SIZE);
    bool same_keys = secret_equal(message + MAC_AT, mac, HMAC_SIZE);

    *approved = message[0] == FLAG_APPROVED;
    return same_identities && same_keys ? 0 : CONFIRM_FORGED;
}
