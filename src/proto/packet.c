/* SPDX-License-Identifier: ISC */
/*
 * Sealing, signing, opening and verifying of packets; the records in them are somebody else's
 * matter.
 */
#include "proto/packet.h"

#include <string.h>

#include "base/cleanup.h"
#include "crypto/aead.h"
#include "proto/frame.h"
#include "proto/record.h"

enum { NONCE_SIZE = 16, SIZE_SIZE = 4 };

/* The last four bytes are where GCM itself starts to count from. */
static void make_nonce(const struct chain *chain, uint8_t nonce[static NONCE_SIZE])
{
    put_u32(nonce, chain->epoch);
    put_u64(nonce + 4, chain->counter);
    put_u32(nonce + 12, 1);
}

static size_t payload_size(size_t modulus_size, size_t records_size)
{
    size_t size = FRAME_PACKET_PAYLOAD_MIN;
    while (size < modulus_size + SIZE_SIZE + records_size)
        size *= 2;
    return size;
}

size_t packet_room(size_t payload_size, size_t modulus_size)
{
    return payload_size - modulus_size - SIZE_SIZE;
}

/* The key of the packet that comes next, once. */
static int take_key(struct chain *chain, struct secret *key)
{
    int r = keyschedule_ratchet(&chain->key, key);
    if (r == 0)
        chain->counter++;
    return r;
}

static int sign(const struct identity *self, struct packet_sender sender, const uint8_t *nonce,
                struct span content, uint8_t *signature)
{
    const uint8_t role = (uint8_t)sender.role;
    const struct span parts[] = {SPAN(sender.sid, SHA256_SIZE), SPAN(&role, 1),
                                 SPAN(nonce, NONCE_SIZE), content};
    return identity_sign(self, SIGNATURE_PACKET, parts, 4, signature);
}

static int verify(const struct pubkey *peer, struct packet_sender sender, const uint8_t *nonce,
                  struct span content, struct span signature)
{
    const uint8_t role = (uint8_t)sender.role;
    const struct span parts[] = {SPAN(sender.sid, SHA256_SIZE), SPAN(&role, 1),
                                 SPAN(nonce, NONCE_SIZE), content};
    return pubkey_verify(peer, SIGNATURE_PACKET, parts, 4, signature);
}

int packet_seal(struct chain *chain, const struct identity *self, struct packet_sender sender,
                struct span records, struct bytes *out)
{
    CLEANUP(secret_cleanup) struct secret key;
    size_t modulus_size = pubkey_modulus_size(identity_pubkey(self));
    size_t payload = payload_size(modulus_size, records.size);
    const struct frame_header header = {
        .length = (uint32_t)(FRAME_PACKET_OVERHEAD + payload),
        .type = FRAME_PACKET,
    };
    int r = bytes_reserve(out, FRAME_HEADER_SIZE + header.length);
    if (r != 0)
        return r;

    uint8_t *frame = out->data + out->size;
    uint8_t *nonce = frame + FRAME_HEADER_SIZE;
    uint8_t *signature = nonce + NONCE_SIZE;
    uint8_t *content = signature + modulus_size;
    size_t content_size = payload - modulus_size;

    frame_header_put(frame, header);
    make_nonce(chain, nonce);
    put_u32(content, (uint32_t)records.size);
    memcpy(content + SIZE_SIZE, records.data, records.size);
    memset(content + SIZE_SIZE + records.size, 0, content_size - SIZE_SIZE - records.size);
    r = sign(self, sender, nonce, SPAN(content, content_size), signature);
    if (r == 0)
        r = take_key(chain, &key);
    if (r == 0)
        r = aead_seal(&key, nonce, SPAN(frame, FRAME_HEADER_SIZE + NONCE_SIZE),
                      SPAN(signature, payload), signature);
    if (r == 0)
        out->size += FRAME_HEADER_SIZE + header.length;
    else
        secret_wipe(frame, FRAME_HEADER_SIZE + header.length);
    return r;
}

/* The content's records: at least one header, then nothing but zeros. */
static int find_records(struct span content, struct span *records)
{
    struct reader reader = reader_of(content);
    size_t size = reader_u32(&reader);
    *records = SPAN(reader_take(&reader, size), size);
    if (reader.failed || size < RECORD_HEADER_SIZE || !reader_zeros(&reader, reader.left))
        return PACKET_REJECTED;
    return 0;
}

int packet_open(struct chain *chain, const struct pubkey *peer, struct packet_sender sender,
                struct bytes *body, struct span *records)
{
    CLEANUP(secret_cleanup) struct secret key;
    uint8_t aad[FRAME_HEADER_SIZE + NONCE_SIZE];
    size_t modulus_size = pubkey_modulus_size(peer);
    uint8_t *signature = body->data + NONCE_SIZE;
    uint8_t *content = signature + modulus_size;
    size_t content_size = body->size - FRAME_PACKET_OVERHEAD - modulus_size;
    int r;
    frame_header_put(aad,
                     (struct frame_header){.length = (uint32_t)body->size, .type = FRAME_PACKET});
    make_nonce(chain, aad + FRAME_HEADER_SIZE);
    if (memcmp(body->data, aad + FRAME_HEADER_SIZE, NONCE_SIZE) != 0)
        return PACKET_REJECTED;
    r = take_key(chain, &key);
    if (r == 0)
        r = aead_open(&key, aad + FRAME_HEADER_SIZE, SPAN(aad, sizeof aad),
                      SPAN(signature, body->size - NONCE_SIZE), signature);
    if (r == 0)
        r = find_records(SPAN(content, content_size), records);
    if (r == 0)
        r = verify(peer, sender, aad + FRAME_HEADER_SIZE, SPAN(content, content_size),
                   SPAN(signature, modulus_size));
    return r > 0 ? PACKET_REJECTED : r;
}
