/* SPDX-License-Identifier: ISC */
/*
 * Numbers, durations and sizes that people write. Nothing but the number and its unit is accepted.
 */
#pragma once

#include <stdint.h>

/* Decimal digits only. 0, -EINVAL, or -ERANGE above `max`. */
int number_parse(const char *text, uint64_t max, uint64_t *value);

/*
 * A duration in milliseconds: a number (fraction allowed) and a unit of ms, s, min, h, d, w;
 * without a unit it is in seconds. 0, -EINVAL or -ERANGE.
 */
int duration_parse(const char *text, uint64_t *ms);

enum { QUANTITY_TEXT_MAX = 24 }; /* 20 digits, a unit and the NUL */

/* Write a duration or a size exactly, with the largest unit of which it is a whole number. */
void duration_format(uint64_t ms, char text[static QUANTITY_TEXT_MAX]);
void size_format(uint64_t bytes, char text[static QUANTITY_TEXT_MAX]);

/*
 * A size in bytes: a whole number and a unit of B, KiB, MiB, GiB, TiB (or K, M, G, T, the same);
 * without a unit it is in bytes. 0, -EINVAL or -ERANGE.
 */
int size_parse(const char *text, uint64_t *bytes);
