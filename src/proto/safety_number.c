/* SPDX-License-Identifier: ISC */
/*
 * The combined checksum and what people compare of it.
 */
#include "proto/safety_number.h"

#include <ctype.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/digest.h"

static const char qr_prefix[] = "p2pchat1:";

enum { GROUPS = 12, GROUP_DIGITS = 5, GROUP_BYTES = 5, GROUP_MODULUS = 100000 };

int checksum_combine(const struct fingerprint *a, const struct fingerprint *b,
                     uint8_t checksum[static CHECKSUM_SIZE])
{
    static const char context[] = "p2pchat/1 checksum";
    bool ordered = fingerprint_compare(a, b) < 0;
    const struct span parts[] = {
        SPAN(context, sizeof context),
        SPAN((ordered ? a : b)->bytes, FINGERPRINT_SIZE),
        SPAN((ordered ? b : a)->bytes, FINGERPRINT_SIZE),
    };
    return sha256(parts, 3, checksum);
}

/* Writes the five digits of the number in five bytes. */
static void format_group(const uint8_t bytes[static GROUP_BYTES], char digits[static GROUP_DIGITS])
{
    uint64_t number = ((uint64_t)bytes[0] << 32 | get_u32(bytes + 1)) % GROUP_MODULUS;
    for (int i = GROUP_DIGITS - 1; i >= 0; i--) {
        digits[i] = (char)('0' + number % 10);
        number /= 10;
    }
}

int safety_number_format(const struct fingerprint *a, const struct fingerprint *b,
                         char text[static SAFETY_NUMBER_TEXT_MAX])
{
    static const char context[] = "p2pchat/1 safety";
    uint8_t checksum[CHECKSUM_SIZE], hash[SHA512_SIZE];
    const struct span parts[] = {SPAN(context, sizeof context), SPAN(checksum, CHECKSUM_SIZE)};
    int r = checksum_combine(a, b, checksum);
    if (r == 0)
        r = sha512(parts, 2, hash);
    if (r != 0)
        return r;
    for (size_t i = 0; i < GROUPS; i++) {
        char *group = text + i * (GROUP_DIGITS + 1);
        format_group(hash + i * GROUP_BYTES, group);
        group[GROUP_DIGITS] = i + 1 < GROUPS ? ' ' : '\0';
    }
    return 0;
}

int safety_number_qr(const struct fingerprint *a, const struct fingerprint *b,
                     char text[static SAFETY_NUMBER_QR_MAX])
{
    uint8_t checksum[CHECKSUM_SIZE];
    int r = checksum_combine(a, b, checksum);
    if (r != 0)
        return r;
    memcpy(text, qr_prefix, sizeof qr_prefix - 1);
    hex_encode(checksum, sizeof checksum, text + sizeof qr_prefix - 1);
    return 0;
}

/* Removes white space. False for anything but exactly as many digits as a safety number has. */
static bool read_digits(const char *text, char digits[static GROUPS * GROUP_DIGITS])
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        if (isspace((unsigned char)*text))
            continue;
        if (!isdigit((unsigned char)*text) || count == GROUPS * GROUP_DIGITS)
            return false;
        digits[count++] = *text;
    }
    return count == GROUPS * GROUP_DIGITS;
}

static int compare_qr(const struct fingerprint *a, const struct fingerprint *b, const char *text)
{
    uint8_t checksum[CHECKSUM_SIZE], given[CHECKSUM_SIZE];
    if (hex_decode(text + sizeof qr_prefix - 1, given, sizeof given) != 0)
        return SAFETY_NUMBER_MALFORMED;
    int r = checksum_combine(a, b, checksum);
    if (r != 0)
        return r;
    return memcmp(checksum, given, sizeof given) == 0 ? 0 : SAFETY_NUMBER_OTHER;
}

int safety_number_compare(const struct fingerprint *a, const struct fingerprint *b,
                          const char *text)
{
    char number[SAFETY_NUMBER_TEXT_MAX], digits[GROUPS * GROUP_DIGITS],
        given[GROUPS * GROUP_DIGITS];
    if (strncmp(text, qr_prefix, sizeof qr_prefix - 1) == 0)
        return compare_qr(a, b, text);
    if (!read_digits(text, given))
        return SAFETY_NUMBER_MALFORMED;
    int r = safety_number_format(a, b, number);
    if (r != 0)
        return r;
    read_digits(number, digits);
    return memcmp(digits, given, sizeof given) == 0 ? 0 : SAFETY_NUMBER_OTHER;
}
