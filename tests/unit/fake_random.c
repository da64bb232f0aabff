/* SPDX-License-Identifier: ISC */
/*
 * Randomness that repeats: first what a test queued, then the outputs of a counter-based mixer. One
 * instance per process, as the real one.
 */
#include "unit/fake_random.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "crypto/random.h"

enum { QUEUE_MAX = 4096 };

static struct {
    uint8_t queue[QUEUE_MAX];
    size_t queued;
    size_t given;
    uint64_t counter;
} state;

void fake_random_push(const void *data, size_t size)
{
    assert(size <= QUEUE_MAX - state.queued);
    memcpy(state.queue + state.queued, data, size);
    state.queued += size;
}

void fake_random_reset(void)
{
    memset(&state, 0, sizeof(state));
}

size_t fake_random_left(void)
{
    return state.queued - state.given;
}

/* The finaliser of SplitMix64: every counter gives another well mixed number. */
static uint8_t stream_byte(void)
{
    uint64_t mixed = ++state.counter * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint8_t)(mixed >> 56);
}

int random_bytes(void *out, size_t size)
{
    uint8_t *at = out;
    for (size_t i = 0; i < size; i++)
        at[i] = state.given < state.queued ? state.queue[state.given++] : stream_byte();
    if (state.given == state.queued)
        state.given = state.queued = 0;
    return 0;
}

uint32_t random_u32(void)
{
    uint32_t number;
    random_bytes(&number, sizeof(number));
    return number;
}
