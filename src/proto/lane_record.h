/* SPDX-License-Identifier: ISC */
/*
 * The records in the frames of a lane. Same header as the records of packets, other types.
 *
 *     +--------+------+----+----------+
 *     | length | type | id | body ... |       id: which stream; HELLO, READY, SWITCH, BYE and the
 *     +--------+------+----+----------+       two of ECHO are about the lane and have none
 *
 * Encoding and decoding, and what can be judged of a frame's records without knowing any state.
 */
#pragma once

#include "base/bytes.h"

enum {
    LANE_INSTANCE_SIZE = 16,
    LANE_ARGUMENT_MAX = 1024,
    LANE_ECHO_SIZE = 8,
    LANE_DATA_OVERHEAD = 9, /* what a DATA record has besides its bytes */
    LANE_CONTROL_MAX = 64,  /* no record but OPEN and DATA is longer */
};

enum lane_record_type {
    LANE_HELLO = 0x01,
    LANE_RESUME = 0x02,
    LANE_READY = 0x03,
    LANE_OPEN = 0x04,
    LANE_OPENED = 0x05,
    LANE_DATA = 0x06,
    LANE_WINDOW = 0x07,
    LANE_FIN = 0x08,
    LANE_EXIT = 0x09,
    LANE_DONE = 0x0A,
    LANE_STOP = 0x0B,
    LANE_RESET = 0x0C,
    LANE_SWITCH = 0x0D,
    LANE_BYE = 0x0E,
    LANE_ECHO = 0x0F,
    LANE_ECHOED = 0x10,
    LANE_OPTIONAL = 0x80, /* this and all above: ignored when unknown */
};

enum lane_open_flag { LANE_OPEN_RESUMES = 1 };   /* OPEN: survives the loss of its lane */
enum lane_opened_flag { LANE_OPENED_EXITS = 1 }; /* OPENED: an EXIT will come */

/* RESUME: what of the other side's has come. */
enum lane_resume_flag {
    LANE_HAD_FIN = 1,
    LANE_HAD_EXIT = 2,
    LANE_HAD_OPENED = 4,
    LANE_HAD_DONE = 8,
};

/* EXIT: how the program behind a service ended. */
enum lane_exit_kind {
    LANE_EXIT_UNKNOWN = 0,
    LANE_EXIT_STATUS = 1, /* 0..255 */
    LANE_EXIT_SIGNAL = 2,
    LANE_EXIT_CODE = 3, /* of a service of our own */
};

/* RESET: why a stream ended at once. */
enum lane_reset_code {
    LANE_NO_SERVICE = 1, /* unknown, or not for you: one answer */
    LANE_BUSY = 2,
    LANE_FAILED = 3, /* the program or connection behind it */
    LANE_CANCELLED = 4,
    LANE_LOST = 5,
    LANE_TIMEOUT = 6,
    LANE_REFUSED = 7, /* blocked, key changed, not trusted any more */
};

/* A record; which members mean something depends on the type. Spans are borrowed. */
struct lane_record {
    uint8_t type;
    uint8_t flags;   /* RESUME, OPEN, OPENED */
    uint8_t code;    /* EXIT: kind; RESET, BYE: code */
    uint32_t id;     /* of the stream */
    uint32_t window; /* RESUME, OPEN, OPENED, WINDOW; HELLO: streams at most; in bytes else */
    uint32_t value;  /* EXIT; SWITCH: generation */
    uint64_t size;   /* RESUME: received; FIN: all that was sent */
    uint64_t taken;  /* RESUME, WINDOW */
    struct span name;
    struct span data; /* DATA; OPEN: argument; HELLO: instance; ECHO, ECHOED: token */
};

/* Appends a record. 0 or -ENOMEM, with `out` unchanged. */
int lane_record_append(struct bytes *out, const struct lane_record *record);

/* The next record of records that were checked; false at the end. Unknown ones are left out. */
bool lane_record_next(struct reader *reader, struct lane_record *record);

/* Whether all records of a frame are well formed, and those last that have to be. */
bool lane_records_check(struct span records);

/* Whether a record is about the lane and not about a stream. */
bool lane_record_of_lane(uint8_t type);
