/* SPDX-License-Identifier: ISC */
/*
 * UUID version 7 (RFC 9562 section 5.7): message ids that are unique without any durable state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { UUID_SIZE = 16, UUID_TEXT_MAX = 37, UUID_RANDOM_SIZE = 10 };

struct uuid {
    uint8_t bytes[UUID_SIZE];
};

/* A new id of this wall clock time from this randomness. */
struct uuid uuid_make(uint64_t wall_ms, const uint8_t random[static UUID_RANDOM_SIZE]);

bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_zero(const struct uuid *uuid);

/* "0193-…" in the usual 8-4-4-4-12 form, lower case. */
void uuid_format(const struct uuid *uuid, char text[static UUID_TEXT_MAX]);

/* Reads that form, either case. 0 or -EINVAL. */
int uuid_parse(const char *text, struct uuid *uuid);
