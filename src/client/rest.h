/* SPDX-License-Identifier: ISC */
/*
 * Doing nothing for a while, before another try or as a rate asks for.
 */
#pragma once

#include <stdint.h>

/* Returns after so many milliseconds, or earlier when a signal was handled. */
void rest_ms(uint64_t ms);
