/* SPDX-License-Identifier: ISC */
/*
 * All chance in a run, of the world and of the programs in it: the same seed gives the same run.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void dice_seed(uint64_t seed);

/* A number from `low` to `high`, both included. */
uint64_t dice_between(uint64_t low, uint64_t high);

/* A number from 0 to count - 1. */
unsigned dice_below(unsigned count);

/* True in so many of 1,000 cases. */
bool dice_chance(unsigned permille);
