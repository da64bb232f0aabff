/* SPDX-License-Identifier: ISC */
/*
 * The combined checksum of two identities and its forms for people: the safety number and the QR
 * text.
 *
 * The number is always shown whole. A man in the middle may choose the two keys that it shows, so a
 * short form of a combined checksum falls to a birthday search.
 */
#pragma once

#include "base/fingerprint.h"
#include "base/outcome.h"

enum {
    CHECKSUM_SIZE = 32,
    SAFETY_NUMBER_TEXT_MAX = 12 * 6,   /* 12 groups of 5 digits, spaces between, NUL */
    SAFETY_NUMBER_QR_MAX = 9 + 64 + 1, /* "p2pchat1:", hexadecimal checksum, NUL */
};

/* SHA-256("p2pchat/1 checksum\0" || smaller || larger): the same for either order. 0 or -EIO. */
int checksum_combine(const struct fingerprint *a, const struct fingerprint *b,
                     uint8_t checksum[static CHECKSUM_SIZE]);

/* The 60 digits. 0 or -EIO. */
int safety_number_format(const struct fingerprint *a, const struct fingerprint *b,
                         char text[static SAFETY_NUMBER_TEXT_MAX]);

enum safety_number_outcome {
    SAFETY_NUMBER_OTHER = OUTCOME_SAFETY_NUMBER, /* the number of two other keys */
    SAFETY_NUMBER_MALFORMED,                     /* no safety number */
};

/*
 * Compares a text with the safety number: 60 digits in any grouping, or the content of the QR
 * code. Never less than all of it. 0, an outcome or -EIO.
 */
int safety_number_compare(const struct fingerprint *a, const struct fingerprint *b,
                          const char *text);

/* The content of the QR code. 0 or -EIO. */
int safety_number_qr(const struct fingerprint *a, const struct fingerprint *b,
                     char text[static SAFETY_NUMBER_QR_MAX]);
