/* SPDX-License-Identifier: ISC */
/*
 * A lane: the frames on the second connection of a session, sealed but not signed.
 *
 *     0    5          9                                5 + P      5 + length = 5 + P + 16
 *     +----+----------+-----------------------+-------+-----+
 *     | hd | rec_len  | records ...           | zeros | tag |       P = 2^n, 256 ≤ P ≤ 32768
 *     +----+----------+-----------------------+-------+-----+
 *           \________ AES-256-GCM, AAD = hd, IV = u32 generation || u64 counter ___/
 *
 * Each direction has a chain; every LANE_FRAMES_PER_KEY frames it gives a new key. A generation
 * begins with the ATTACH, and each later one with a LANE_KEY record of the session: the joiner
 * says SWITCH as the last record of its last frame in the old one, then the host does.
 *
 * No socket and no clock in here, and nothing of streams: records in, frames out, and back.
 */
#pragma once

#include "base/outcome.h"
#include "proto/lane_keys.h"
#include "proto/lane_record.h"
#include "proto/session_types.h"

enum {
    LANE_CONTENT_MIN = 256,
    LANE_CONTENT_MAX = 32768,
    LANE_FRAMES_PER_KEY = 16,
    LANE_FRAME_START = 9, /* header and rec_len, before the records */
    LANE_RECORDS_MAX = LANE_CONTENT_MAX - 4,
    LANE_FULL_FROM = 4096,        /* with so much ready a frame is cut to be full */
    LANE_FIRST_TIMEOUT_MS = 5000, /* for the first frame of the other side */
    LANE_FRAME_TIMEOUT_MS = 60000,
    LANE_SWITCH_TIMEOUT_MS = 60000,
};

enum lane_outcome {
    LANE_TAMPERED = OUTCOME_LANE, /* the connection is no good: streams go on over the next one */
    LANE_FAULT,                   /* the other side broke the rules */
};

/* One direction. */
struct lane_direction {
    struct secret chain;
    struct secret key;
    uint32_t generation;
    uint64_t counter; /* of the next frame */
};

struct lane {
    enum session_role role;
    uint8_t id[LANE_ID_SIZE];
    struct lane_direction sending;
    struct lane_direction receiving;
    struct secret root;

    /* The next generation, until both sides have switched. */
    uint32_t next_generation; /* 0: none is on its way */
    struct secret next_sending;
    struct secret next_receiving;
    bool switch_due;      /* ours is to be said in the next frame */
    bool switch_expected; /* the other's is to come */
    uint64_t switch_since_ms;

    /* The frame that is coming in, and the records of the last whole one. */
    struct bytes frame;
    struct reader records;
    uint64_t started_ms;
    uint64_t frame_since_ms; /* when its header was complete */
    bool heard;              /* a frame has been opened */
    const char *complaint;   /* static text, after LANE_FAULT */
};

/* Generation 0 of the lane that `offer` was made for. The secrets are to be wiped by the caller. */
void lane_begin(struct lane *lane, enum session_role role, const struct lane_offer *offer,
                const struct lane_secrets *secrets, uint64_t now_ms);

/* Wipes all keys and frees what is held. All zero is a lane that was never begun. */
void lane_deinit(struct lane *lane);

/*
 * The next generation, from a LANE_KEY record of the session (host: the one it sends, joiner: the
 * one it got). 0, LANE_FAULT when one is open or the number is another, or -EIO.
 */
int lane_take_key(struct lane *lane, struct span record, uint64_t now_ms);

/* Whether a generation is on its way. */
bool lane_switching(const struct lane *lane);

/* How many bytes of records the next frame has room for. */
size_t lane_room(const struct lane *lane);

/* Whether a frame has to be sent even without records. */
bool lane_has_switch(const struct lane *lane);

/* Makes `frame` ready to have records appended to it. 0 or -ENOMEM. */
int lane_frame_begin(struct bytes *frame);

/* Pads and seals it in its place. Its records are at most lane_room(). 0, -ENOMEM or -EIO. */
int lane_frame_seal(struct lane *lane, struct bytes *frame);

/*
 * Takes received bytes, as many as it can use until a frame is whole; *used says how many. Its
 * records are then to be taken by lane_next() before more is given. 0, a lane_outcome or -errno.
 */
int lane_take(struct lane *lane, struct span data, size_t *used, uint64_t now_ms);

/* The next record; false when there is none. Spans in it live until the next lane_take(). */
bool lane_next(struct lane *lane, struct lane_record *record);

/* Takes the other side's SWITCH, the last record of its frame. 0 or LANE_FAULT. */
int lane_take_switch(struct lane *lane, uint32_t generation);

/* Frees the memory that frames come in, if none is on its way. */
void lane_rest(struct lane *lane);

/* When the lane is lost if nothing comes; UINT64_MAX for never. */
uint64_t lane_deadline(const struct lane *lane);
