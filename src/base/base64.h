/* SPDX-License-Identifier: ISC */
/*
 * Base64 (RFC 4648 section 4) and base64url (section 5), both without padding, and hexadecimal.
 * Decoders are strict: no white space, no padding, no stray bits in the last character.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum base64_alphabet { BASE64_STANDARD, BASE64_URL };

/* Characters that `size` bytes become, without the terminating NUL. */
#define BASE64_LENGTH(size) ((8 * (size) + 5) / 6)

/* Writes BASE64_LENGTH(size) characters and a NUL. */
void base64_encode(enum base64_alphabet alphabet, const uint8_t *data, size_t size, char *text);

/* Decodes exactly `length` characters into exactly `size` bytes. 0 or -EINVAL. */
int base64_decode(enum base64_alphabet alphabet, const char *text, size_t length, uint8_t *data,
                  size_t size);

/* Writes 2 * size lower-case digits and a NUL. */
void hex_encode(const uint8_t *data, size_t size, char *text);

/* Decodes exactly 2 * size digits of either case, then the end of the string. 0 or -EINVAL. */
int hex_decode(const char *text, uint8_t *data, size_t size);
