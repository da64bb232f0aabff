/* SPDX-License-Identifier: ISC */
/*
 * Records: what packets carry. Same header as a frame, but inside the encryption.
 *
 *     +--------+------+----------+--------+------+----------+--
 *     | length | type | body ... | length | type | body ... |
 *     +--------+------+----------+--------+------+----------+--
 */
#pragma once

#include "base/bytes.h"
#include "proto/session_types.h"

enum record_type {
    RECORD_PING = 0x01,
    RECORD_PONG = 0x02,
    RECORD_CLOSE = 0x03,
    RECORD_APPROVE = 0x04,
    RECORD_ACK = 0x05,
    RECORD_REKEY_WANT = 0x06,
    RECORD_REKEY_INIT = 0x07,
    RECORD_REKEY_RESP = 0x08,
    RECORD_REKEY_DONE = 0x09,
    RECORD_MESSAGE = 0x10,
    RECORD_FILE_OFFER = 0x11, /* these two need FEATURE_FILES */
    RECORD_FILE_STATE = 0x12,
    RECORD_LANE_WANT = 0x20, /* these four need FEATURE_STREAMS */
    RECORD_LANE_OFFER = 0x21,
    RECORD_LANE_FAILED = 0x22,
    RECORD_LANE_KEY = 0x23,
    RECORD_OPTIONAL = 0x80,  /* this and all above: ignored when unknown */
    RECORD_INSTANCE = 0x80,  /* which of all that may have this key this is */
    RECORD_CLONED = 0x81,    /* there are two of you: the receiver, and the other one */
    RECORD_ADDRESSES = 0x90, /* see told.h */
};

enum { RECORD_HEADER_SIZE = 5 };

/* The bodies of those about lanes: class || what it is about, see lane_keys.h. */
enum {
    LANE_WANT_SIZE = 1,
    LANE_OFFER_SIZE = 1 + 16 + 32,   /* class, lane id, secret */
    LANE_FAILED_SIZE = 1 + 16 + 1,   /* class, lane id, reason */
    LANE_KEY_SIZE = 1 + 16 + 4 + 32, /* class, lane id, generation, secret */
};

/* What a lane is for, and how many kinds of lanes a peer has. */
enum lane_class {
    LANE_FOR_SERVICES = 0,
    LANE_FOR_FILES = 1,
    LANE_CLASSES,
};

enum { CLONED_SIZE = 2 * INSTANCE_SIZE };

struct record {
    uint8_t type;
    struct span body;
    struct span whole; /* header and body */
};

/* Appends a record. 0 or -ENOMEM, with `out` unchanged. */
int record_append(struct bytes *out, enum record_type type, struct span body);

/* The next record of what is left; false at the end and, with reader->failed, at nonsense. */
bool record_next(struct reader *reader, struct record *record);
