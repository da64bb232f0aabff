/* SPDX-License-Identifier: ISC */
/*
 * The header of frames and the lengths that each type may have; the bodies are other modules'
 * matter.
 */
#include "proto/frame.h"

#include "base/bytes.h"
#include "crypto/kem.h"

enum {
    HELLO_SIZE = 80,
    HELLO_EXTENSIONS_MAX = 512,
    IDENT_FRAME_SIZE = 1168,
    KEY_FRAME_SIZE = 1680,
    CONFIRM_FRAME_SIZE = 81,
};

void frame_header_put(uint8_t at[static FRAME_HEADER_SIZE], struct frame_header header)
{
    put_u32(at, header.length);
    at[4] = header.type;
}

struct frame_header frame_header_get(const uint8_t at[static FRAME_HEADER_SIZE])
{
    return (struct frame_header){.length = get_u32(at), .type = at[4]};
}

/* A HELLO comes with or without the value of a second key exchange, and with some extensions. */
static bool hello_length(uint32_t length, uint32_t extra)
{
    uint32_t shortest = length >= HELLO_SIZE + extra ? HELLO_SIZE + extra : HELLO_SIZE;
    return length >= shortest && length - shortest <= HELLO_EXTENSIONS_MAX;
}

static bool packet_length(uint32_t length)
{
    uint32_t payload = length - FRAME_PACKET_OVERHEAD;
    return length >= FRAME_PACKET_OVERHEAD + FRAME_PACKET_PAYLOAD_MIN &&
           length <= FRAME_PACKET_OVERHEAD + FRAME_PACKET_PAYLOAD_MAX &&
           (payload & (payload - 1)) == 0;
}

static bool length_legal(enum frame_type type, uint32_t length)
{
    switch (type) {
    case FRAME_HELLO_J:
        return hello_length(length, KEM_KEY_SIZE);
    case FRAME_HELLO_H:
        return hello_length(length, KEM_CIPHERTEXT_SIZE);
    case FRAME_IDENT:
        return length == IDENT_FRAME_SIZE;
    case FRAME_KEY:
        return length == KEY_FRAME_SIZE;
    case FRAME_CONFIRM_J:
    case FRAME_CONFIRM_H:
        return length == CONFIRM_FRAME_SIZE;
    case FRAME_PACKET:
        return packet_length(length);
    case FRAME_ALERT:
    case FRAME_ATTACH: /* these two are judged in lane_keys.c and lane.c */
    case FRAME_LANE:
        break;
    }
    return false;
}

bool frame_acceptable(struct frame_header header, enum frame_type expected, uint32_t alert_length)
{
    if (header.type == FRAME_ALERT)
        return alert_length != 0 && header.length == alert_length;
    return header.type == expected && length_legal(expected, header.length);
}
