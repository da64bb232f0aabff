/* SPDX-License-Identifier: ISC */
/*
 * Two generators from one seed, and crypto/random.h on the second: what the programs draw does not
 * change what the world does.
 */
#include "simulation/dice.h"

#include "crypto/random.h"

static uint64_t world, programs;

/* SplitMix64. */
static uint64_t next(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

void dice_seed(uint64_t seed)
{
    world = seed;
    programs = ~seed;
    programs = next(&programs);
}

uint64_t dice_between(uint64_t low, uint64_t high)
{
    return low + next(&world) % (high - low + 1);
}

unsigned dice_below(unsigned count)
{
    return (unsigned)dice_between(0, count - 1);
}

bool dice_chance(unsigned permille)
{
    return dice_below(1000) < permille;
}

int random_bytes(void *out, size_t size)
{
    uint8_t *at = out;
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(next(&programs) >> 56);
    return 0;
}

uint32_t random_u32(void)
{
    return (uint32_t)(next(&programs) >> 32);
}
