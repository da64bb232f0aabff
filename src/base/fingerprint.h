/* SPDX-License-Identifier: ISC */
/*
 * Fingerprints: SHA-256 of a public key's SPKI, shown as ssh-keygen shows them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    FINGERPRINT_SIZE = 32,
    FINGERPRINT_TEXT_MAX = 7 + 43 + 1, /* "SHA256:", base64, NUL */
};

struct fingerprint {
    uint8_t bytes[FINGERPRINT_SIZE];
};

bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b);

/* As memcmp() on the bytes: the order of the two-links rule and the combined checksum. */
int fingerprint_compare(const struct fingerprint *a, const struct fingerprint *b);

/* "SHA256:" and 43 characters of unpadded base64. */
void fingerprint_format(const struct fingerprint *fingerprint,
                        char text[static FINGERPRINT_TEXT_MAX]);

/* Reads exactly that form. 0 or -EINVAL. */
int fingerprint_parse(const char *text, struct fingerprint *fingerprint);
