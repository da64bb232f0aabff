/* SPDX-License-Identifier: ISC */
/*
 * Stands in for base/clock.c in tests: time stands still until a test moves it.
 */
#pragma once

#include <stdint.h>

/* Sets both clocks. */
void fake_clock_set(uint64_t ms);
