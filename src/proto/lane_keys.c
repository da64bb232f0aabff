/* SPDX-License-Identifier: ISC */
/*
 * The derivations of lanes. When they happen, and that a secret is used once, is others' matter.
 */
#include "proto/lane_keys.h"

#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "proto/keyschedule.h"

enum {
    MAGIC_SIZE = 8,
    ID_AT = FRAME_HEADER_SIZE + MAGIC_SIZE,
    RANDOM_AT = ID_AT + LANE_ID_SIZE,
    RANDOM_SIZE = 32,
    MAC_AT = RANDOM_AT + RANDOM_SIZE,
};

_Static_assert(MAC_AT + HMAC_SIZE == LANE_ATTACH_SIZE, "the parts make the whole");

static const struct frame_header attach_header = {.length = LANE_ATTACH_SIZE - FRAME_HEADER_SIZE,
                                                  .type = FRAME_ATTACH};
static const char magic[MAGIC_SIZE] = "p2plane";

int lane_offer_make(struct lane_offer *offer)
{
    int r = random_bytes(offer->id, sizeof offer->id);
    return r == 0 ? random_bytes(offer->secret.bytes, SECRET_SIZE) : r;
}

static int expand_all(const struct secret *lk, const uint8_t context[static SHA256_SIZE],
                      struct lane_secrets *secrets)
{
    int r = keyschedule_expand(lk, "lane root", context, &secrets->root);
    if (r == 0)
        r = keyschedule_expand(lk, "lane joiner", context, &secrets->chain_joiner);
    if (r == 0)
        r = keyschedule_expand(lk, "lane host", context, &secrets->chain_host);
    return r;
}

static int make_mac(const struct secret *lk, const uint8_t *frame, uint8_t mac[static HMAC_SIZE])
{
    CLEANUP(secret_cleanup) struct secret key;
    const struct span before = SPAN(frame, MAC_AT);
    int r = keyschedule_expand(lk, "lane attach", NULL, &key);
    return r == 0 ? hmac_sha256(SPAN(key.bytes, SECRET_SIZE), &before, 1, mac) : r;
}

static int derive_first(const struct secret *lk, const uint8_t *frame, struct lane_secrets *secrets)
{
    const struct span whole = SPAN(frame, LANE_ATTACH_SIZE);
    uint8_t transcript[SHA256_SIZE];
    int r = sha256(&whole, 1, transcript);
    return r == 0 ? expand_all(lk, transcript, secrets) : r;
}

int lane_attach_make(const uint8_t sid[static SHA256_SIZE], const struct lane_offer *offer,
                     uint8_t frame[static LANE_ATTACH_SIZE], struct lane_secrets *secrets)
{
    CLEANUP(secret_cleanup) struct secret lk;
    int r = hkdf_extract(SPAN(sid, SHA256_SIZE), SPAN(offer->secret.bytes, SECRET_SIZE), &lk);
    frame_header_put(frame, attach_header);
    memcpy(frame + FRAME_HEADER_SIZE, magic, MAGIC_SIZE);
    memcpy(frame + ID_AT, offer->id, LANE_ID_SIZE);
    if (r == 0)
        r = random_bytes(frame + RANDOM_AT, RANDOM_SIZE);
    if (r == 0)
        r = make_mac(&lk, frame, frame + MAC_AT);
    return r == 0 ? derive_first(&lk, frame, secrets) : r;
}

bool lane_attach_begins(const uint8_t header[static FRAME_HEADER_SIZE])
{
    const struct frame_header found = frame_header_get(header);
    return found.type == attach_header.type && found.length == attach_header.length;
}

const uint8_t *lane_attach_id(const uint8_t frame[static LANE_ATTACH_SIZE])
{
    bool is_one =
        lane_attach_begins(frame) && memcmp(frame + FRAME_HEADER_SIZE, magic, MAGIC_SIZE) == 0;
    return is_one ? frame + ID_AT : NULL;
}

int lane_attach_check(const uint8_t sid[static SHA256_SIZE], const struct lane_offer *offer,
                      const uint8_t frame[static LANE_ATTACH_SIZE], struct lane_secrets *secrets)
{
    CLEANUP(secret_cleanup) struct secret lk;
    uint8_t mac[HMAC_SIZE];
    int r = hkdf_extract(SPAN(sid, SHA256_SIZE), SPAN(offer->secret.bytes, SECRET_SIZE), &lk);
    if (r == 0)
        r = make_mac(&lk, frame, mac);
    if (r == 0 && !secret_equal(mac, frame + MAC_AT, HMAC_SIZE))
        r = LANE_KEYS_FORGED;
    return r == 0 ? derive_first(&lk, frame, secrets) : r;
}

int lane_rekey(const struct secret *root, struct span record, struct lane_secrets *secrets)
{
    CLEANUP(secret_cleanup) struct secret salt;
    CLEANUP(secret_cleanup) struct secret lk;
    const struct span secret = SPAN(record.data + record.size - SECRET_SIZE, SECRET_SIZE);
    uint8_t hash[SHA256_SIZE];
    int r = sha256(&record, 1, hash);
    if (r == 0)
        r = keyschedule_expand(root, "lane rekey", hash, &salt);
    if (r == 0)
        r = hkdf_extract(SPAN(salt.bytes, SECRET_SIZE), secret, &lk);
    return r == 0 ? expand_all(&lk, hash, secrets) : r;
}
