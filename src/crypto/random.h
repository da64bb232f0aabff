/* SPDX-License-Identifier: ISC */
/*
 * Randomness: the only source in the program. Tests link another object in its place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Fills `out` from the system's CSPRNG. 0 or -EIO; a failure is fatal to whatever needed it. */
int random_bytes(void *out, size_t size);

/* A uniformly spread number for delays and choices; 0 when the CSPRNG fails. Not for secrets. */
uint32_t random_u32(void);
