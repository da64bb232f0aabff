/* SPDX-License-Identifier: ISC */
/*
 * Two honest ends of streams, and a fuzzer that decides who acts, how much a local end gives and
 * takes, when the lane breaks and how much time passes. Whatever it decides: bytes arrive once and
 * in order, an end that calls a stream well has given and got everything, and nothing stays for
 * ever.
 *
 *     input: how many streams, then the decisions; when they are used up, others follow that depend
 *     on nothing
 */
#include <stdbool.h>

#include "fuzz/fuzz.h"
#include "unit/channels_rig.h"

enum { STREAMS_MAX = 4, STEPS = 30000, EACH_MAX = 20000, ROUNDS_MAX = 10000 };

static const uint8_t *next;
static size_t left;
static uint32_t otherwise;

static unsigned number(void)
{
    if (left == 0) {
        otherwise = otherwise * 1664525 + 1013904223; /* a linear congruential generator */
        return otherwise >> 8;
    }
    left--;
    return *next++ * UINT32_C(0x010101) & 0xffffff;
}

/* Whether this side ended the stream well. */
static bool ended_well(unsigned side, uint32_t id)
{
    for (unsigned i = 0; i < rig_sides[side].ended_well; i++)
        if (rig_sides[side].well[i] == id)
            return true;
    return false;
}

static void check_pair(unsigned opener, unsigned pair, uint32_t id)
{
    const struct rig_program *own = &rig_programs[pair], *other = own + 1;
    assert(own->heard <= other->said && other->heard <= own->said);
    if (!ended_well(opener, id) && !ended_well(1 - opener, id))
        return;
    assert(own->heard == other->says && other->heard == own->says);
    assert(own->heard_end && other->heard_end);
}

/* Lanes that hold, and all the time there is. */
static void finish(void)
{
    rig_allow(0, 0);
    for (unsigned i = 0; i < ROUNDS_MAX && !rig_at_rest(); i++) {
        rig_mend();
        rig_run(1000);
    }
    assert(rig_at_rest());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned openers[STREAMS_MAX], pairs[STREAMS_MAX], opened[2] = {0};
    uint32_t ids[STREAMS_MAX];
    next = data;
    left = size;
    otherwise = 1;
    rig_begin(number);
    const unsigned count = 1 + number() % STREAMS_MAX;
    rig_allow(20, number() % 8);
    for (unsigned i = 0; i < count; i++) {
        openers[i] = number() % 2;
        ids[i] = 2 * opened[openers[i]]++ + 1 + openers[i];
        size_t there = number() % EACH_MAX, back = number() % EACH_MAX;
        pairs[i] = rig_open(openers[i], there, back, number() % 4 != 0);
    }
    for (unsigned i = 0; i < STEPS && (left > 0 || i < 1000); i++)
        rig_step();
    finish();
    for (unsigned i = 0; i < count; i++)
        check_pair(openers[i], pairs[i], ids[i]);
    rig_end();
    return 0;
}
