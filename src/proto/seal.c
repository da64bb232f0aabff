/* SPDX-License-Identifier: ISC */
/*
 * Sealing and opening of handshake frames. Sessions have packets instead, see packet.c.
 */
#include "proto/seal.h"

#include "crypto/aead.h"

static void make_iv(const struct seal *seal, uint8_t iv[static AEAD_IV_SIZE])
{
    put_u32(iv, 0);
    put_u64(iv + 4, seal->count);
}

int seal_frame(struct seal *seal, enum frame_type type, struct span plaintext, struct bytes *out)
{
    const struct frame_header header = {
        .length = (uint32_t)(plaintext.size + AEAD_TAG_SIZE),
        .type = (uint8_t)type,
    };
    uint8_t iv[AEAD_IV_SIZE];
    int r = bytes_reserve(out, FRAME_HEADER_SIZE + header.length);
    if (r != 0)
        return r;

    uint8_t *frame = out->data + out->size;

    frame_header_put(frame, header);
    make_iv(seal, iv);
    r = aead_seal(&seal->key, iv, SPAN(frame, FRAME_HEADER_SIZE), plaintext,
                  frame + FRAME_HEADER_SIZE);
    if (r != 0)
        return r;
    out->size += FRAME_HEADER_SIZE + header.length;
    seal->count++;
    return 0;
}

int seal_open(struct seal *seal, struct frame_header header, struct span body, uint8_t *plaintext)
{
    uint8_t aad[FRAME_HEADER_SIZE], iv[AEAD_IV_SIZE];
    int r;
    frame_header_put(aad, header);
    make_iv(seal, iv);
    r = aead_open(&seal->key, iv, SPAN(aad, sizeof aad), body, plaintext);
    if (r == 0)
        seal->count++;
    return r > 0 ? SEAL_BROKEN : r;
}
