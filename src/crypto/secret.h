/* SPDX-License-Identifier: ISC */
/*
 * Secrets: 32-byte keys, their wiping and their comparison.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECRET_SIZE = 32 };

/* A symmetric key. Whoever holds one wipes it. */
struct secret {
    uint8_t bytes[SECRET_SIZE];
};

/* Overwrites memory in a way that no compiler removes. */
void secret_wipe(void *data, size_t size);

/* Compares in a time that does not depend on the content. */
bool secret_equal(const void *a, const void *b, size_t size);

/* For CLEANUP(): wipes a struct secret at the end of its scope. */
void secret_cleanup(struct secret *secret);
