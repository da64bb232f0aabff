/* SPDX-License-Identifier: ISC */
/*
 * Stands in for crypto/random.c in tests: what it gives is known beforehand.
 */
#pragma once

#include <stddef.h>

/* Queues bytes to be given out next, exactly and in order, before the stream goes on. */
void fake_random_push(const void *data, size_t size);

/* Drops what is queued and starts the stream again. */
void fake_random_reset(void);

/* How many of the queued bytes have not been given out. */
size_t fake_random_left(void);
