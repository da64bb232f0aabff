/* SPDX-License-Identifier: ISC */
/*
 * The two clocks. Timers and deadlines use the monotonic one; only what people read uses the other.
 *
 * Above floor 1 only net/loop reads them: everything else is told the time.
 */
#pragma once

#include <stdint.h>

/* Milliseconds since some fixed point; never steps, runs on during suspend. */
uint64_t clock_monotonic_ms(void);

/* Milliseconds that the machine was suspended since its start; never steps back. */
uint64_t clock_suspended_ms(void);

/* Milliseconds since 1970-01-01 UTC; may step either way. Never negative. */
uint64_t clock_wall_ms(void);
