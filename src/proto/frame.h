/* SPDX-License-Identifier: ISC */
/*
 * Frames: what the byte stream is cut into.
 *
 *      0        4      5                    5 + length
 *     +--------+------+---------------------+
 *     | length | type | body ...            |
 *     +--------+------+---------------------+
 *
 * Type and length are judged as soon as the five bytes are there, before any of the body is read or
 * room is made for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_type {
    FRAME_HELLO_J = 0x01,
    FRAME_HELLO_H = 0x02,
    FRAME_IDENT = 0x03,
    FRAME_KEY = 0x04,
    FRAME_CONFIRM_J = 0x05,
    FRAME_CONFIRM_H = 0x06,
    FRAME_ALERT = 0x07,
    FRAME_ATTACH = 0x08, /* lane_keys.h: makes a connection a lane of a session */
    FRAME_PACKET = 0x10,
    FRAME_LANE = 0x11, /* lane.h */
};

enum {
    FRAME_HEADER_SIZE = 5,
    FRAME_CLEAR_ALERT_SIZE = 1,
    FRAME_SEALED_ALERT_SIZE = 17,
    FRAME_HANDSHAKE_MAX = 2048, /* no body before a session exists is longer */
    FRAME_PACKET_OVERHEAD = 32, /* nonce and tag */
    FRAME_PACKET_PAYLOAD_MIN = 1024,
    FRAME_PACKET_PAYLOAD_MAX = 131072,
};

struct frame_header {
    uint32_t length; /* of the body */
    uint8_t type;
};

void frame_header_put(uint8_t at[static FRAME_HEADER_SIZE], struct frame_header header);
struct frame_header frame_header_get(const uint8_t at[static FRAME_HEADER_SIZE]);

/*
 * Whether a receiver that waits for a frame of type `expected`, or an alert of `alert_length` bytes
 * (0: no alert), may go on to read the body.
 */
bool frame_acceptable(struct frame_header header, enum frame_type expected, uint32_t alert_length);
