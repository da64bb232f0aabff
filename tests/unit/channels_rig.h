/* SPDX-License-Identifier: ISC */
/*
 * Two ends of a set of streams, with a lane between them that breaks: whatever is on its way is
 * lost, each end finds out on its own, and both greet each other again.
 *
 * Local ends, loop and time are made here, so that numbers decide what happens in which order.
 * Checked all the time: what a local end is given is what the other one said, byte for byte. The
 * asserts are plain ones, so that fuzz targets can have it, too.
 */
#pragma once

#include "core/channels.h"

enum { RIG_PIPES_MAX = 64, RIG_FRAMES_MAX = 64 };

/* What the program at a local end does. */
struct rig_program {
    size_t says; /* so many bytes, then it ends its output */
    size_t said;
    size_t heard;
    uint8_t seed;  /* of what it says */
    uint8_t hears; /* the seed of what it is told */
    bool heard_end;
    bool deaf;   /* it closed its input */
    bool broken; /* it was told to stop */
    bool reset;  /* instead of ending its output */
};

struct rig_side {
    struct channels channels;
    unsigned ended_well, ended_badly;
    uint32_t well[RIG_PIPES_MAX]; /* the ids of those */
};

/* The pair of a stream's local ends: the opener's, and behind it the acceptor's. */
extern struct rig_program rig_programs[RIG_PIPES_MAX];
extern struct rig_side rig_sides[2];

/* `number` decides: any, below 2^24. */
void rig_begin(unsigned (*number)(void));

/* The other end may say anything: what the programs here are told is not compared any more. */
void rig_distrust(void);

/* Nothing may be left of what was granted. */
void rig_end(void);

/* How often the lane may break, and the time pass that streams live without one. */
void rig_allow(unsigned cuts, unsigned waits);

/* A stream whose opener says `there` bytes and is told `back` bytes. Returns its pair. */
unsigned rig_open(unsigned me, size_t there, size_t back, bool resumes);

/* Somebody does something. */
void rig_step(void);

/* Both have a lane, and nobody has a stream. */
bool rig_at_rest(void);

/* Goes on until it is at rest or so many steps are done, and then until all answers are said. */
void rig_run(unsigned steps_max);

/* The kernel tells of one of the local ends, if that is watched. */
void rig_poll(unsigned which);

/* The lane breaks: what is on its way is lost, and this side notices at once. */
void rig_cut(unsigned me);

/* Both have a lane again, which stays. */
void rig_mend(void);

/* Lets time pass, and each side do what it is time for. */
void rig_wait(uint64_t ms);

/* One side's next frame of records, as it would be sealed; false when it has none. */
bool rig_frame(unsigned me, struct bytes *frame);

/* Puts such a frame on its way to the other side, unless there are too many. NULL: there is none.
 */
const struct bytes *rig_say(unsigned me);

/* One side takes the next frame that is on its way to it. */
void rig_hear(unsigned me);
