/* SPDX-License-Identifier: ISC */
/*
 * Why a link ends: the codes of ALERT frames and CLOSE records.
 */
#pragma once

#include <stdint.h>

enum close_code {
    CLOSE_NORMAL = 0x00,
    CLOSE_GOING_AWAY = 0x01,
    CLOSE_DUPLICATE = 0x02,
    CLOSE_REPLACED = 0x03,
    CLOSE_IDLE_TIMEOUT = 0x04,
    CLOSE_REKEY_OVERDUE = 0x05,
    CLOSE_PROTOCOL_ERROR = 0x10,
    CLOSE_UNSUPPORTED = 0x11,
    CLOSE_BUSY = 0x14,
    CLOSE_HANDSHAKE_FAILED = 0x15,
    CLOSE_REFUSED = 0x16,
    CLOSE_SELF = 0x17,
    CLOSE_APPROVAL_TIMEOUT = 0x18,
    CLOSE_INTERNAL_ERROR = 0x19,
    CLOSE_SLOW_PEER = 0x1A,
    CLOSE_UNSUPPORTED_RECORD = 0x1B,
    CLOSE_BAD_ITEM = 0x1C, /* an item of a packet whose signature verified can't be taken */
    CLOSE_BAD_KEY = 0x1D,  /* the public key is no good */
};

/* The code on the wire as one of ours; unknown ones are CLOSE_PROTOCOL_ERROR. */
enum close_code close_code_from_wire(uint8_t value);

/* "going away", "refused" … for people. */
const char *close_code_name(enum close_code code);
