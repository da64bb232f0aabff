/* SPDX-License-Identifier: ISC */
/*
 * A trunk on a stage: what goes over the session and the connection is noted, the keys of a lane
 * and the streams in it are played. Records are those of the protocol.
 */
#pragma once

#include "core/link.h"
#include "core/trunk.h"
#include "proto/record.h"
#include "unit/fake_loop.h"

enum { START_MS = 1000000, CONNECTIONS = 4, RECORDS_MAX = 4, FRAME_BYTES = 1000 };

struct session {
    enum session_role role;
    bool indirect;
    struct record_said {
        uint8_t bytes[RECORD_HEADER_SIZE + LANE_KEY_SIZE];
        size_t size;
    } said;           /* the latest record … */
    unsigned records; /* … and how many */
    int refusal;      /* what it answers instead of sending */
    unsigned noted;   /* traffic */
};

struct stream {
    const struct stream_events *events; /* set by stream_attach() */
    void *context;
    size_t unread, unsent, written;
    bool bulk, background, paused, finished, freed;
    struct origin origin;
};

struct stage {
    struct runtime runtime;
    struct session session;
    struct link link;
    struct stream session_stream;
    struct stream connections[CONNECTIONS];
    struct trunk_ground ground;
    struct trunk *trunk;

    unsigned attached, detached; /* the streams, how often */
    uint8_t end_code;            /* of all streams; 0: none was ended */
    unsigned frames;             /* that the streams fill yet */
    unsigned taken;              /* records for the streams */
    int take_error;              /* what they say to one */
    unsigned ticks, reaped;
    uint64_t deadline_ms; /* the streams' */

    unsigned offers;                         /* that were made: the id of each is its number */
    bool forged;                             /* an ATTACH fits the id, but not the secret */
    unsigned begun, sealed, rested;          /* lanes, frames, and lanes without input */
    int lane_error;                          /* what becomes of the next input or frame */
    struct lane_record records[RECORDS_MAX]; /* of the next frame that comes … */
    unsigned record_count, record_next;      /* … how many, and which one is next */
    bool switch_due, switching;
    uint32_t switched, key; /* generations that came */
    int key_error;
    uint64_t lane_deadline_ms;

    const struct dial_events *race; /* NULL while there is none */
    unsigned dials;
    int dial_error;
    struct address way; /* of the latest */
};

extern struct stage stage;

/* Before and after each test: a trunk without a session. */
int trunk_stage_set_up(void **state);
int trunk_stage_tear_down(void **state);

/* The session is up in this role, and there is so much to carry. */
void trunk_stage_open(enum session_role role, unsigned streams);

/* The peer says something of the lane with this id: class, id and what follows. */
void trunk_stage_hear(enum record_type type, uint8_t id, const void *rest, size_t size);

/* A lane over the first connection, by offer and ATTACH. */
void trunk_stage_lane(void);

/* An ATTACH for the offer with this id comes over that connection: whether it is taken. */
bool trunk_stage_attach(uint8_t id, struct stream *stream);

/* Asserts that the latest record said is one of this type, and of the lane with this id. */
void assert_said(enum record_type type, uint8_t id);
