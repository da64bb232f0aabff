/* SPDX-License-Identifier: ISC */
/*
 * Bytes as printable text: base64, base64url and hexadecimal. Everything strict, nothing padded.
 */
#include "base/base64.h"

#include <errno.h>
#include <string.h>

static const char *const alphabets[] = {
    [BASE64_STANDARD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

void base64_encode(enum base64_alphabet alphabet, const uint8_t *data, size_t size, char *text)
{
    const char *digits = alphabets[alphabet];
    unsigned pending = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < size; i++) {
        pending = (pending << 8 | data[i]) & 0xffff;
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            *text++ = digits[pending >> bits & 63];
        }
    }
    if (bits > 0)
        *text++ = digits[pending << (6 - bits) & 63];
    *text = '\0';
}

/* The value of a digit, or -1. */
static int base64_value(const char *digits, char digit)
{
    const char *at = memchr(digits, digit, 64);
    return at != NULL ? (int)(at - digits) : -1;
}

int base64_decode(enum base64_alphabet alphabet, const char *text, size_t length, uint8_t *data,
                  size_t size)
{
    unsigned pending = 0;
    unsigned bits = 0;
    if (size > SIZE_MAX / 8 - 1 || length != BASE64_LENGTH(size))
        return -EINVAL;
    for (size_t i = 0; i < length; i++) {
        int value = base64_value(alphabets[alphabet], text[i]);
        if (value < 0)
            return -EINVAL;
        pending = (pending << 6 | (unsigned)value) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *data++ = (uint8_t)(pending >> bits);
        }
    }
    /* The bits behind the last byte are zero, or two texts would mean the same bytes. */
    return (pending & ((1u << bits) - 1)) == 0 ? 0 : -EINVAL;
}

void hex_encode(const uint8_t *data, size_t size, char *text)
{
    static const char hex_digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        *text++ = hex_digits[data[i] >> 4];
        *text++ = hex_digits[data[i] & 15];
    }
    *text = '\0';
}

/* The value of a digit, or -1. */
static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

int hex_decode(const char *text, uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int high = hex_value(text[0]);
        int low = high < 0 ? -1 : hex_value(text[1]);
        if (low < 0)
            return -EINVAL;
        data[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return *text == '\0' ? 0 : -EINVAL;
}
