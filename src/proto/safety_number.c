/*
 * The combined checksum and what people compare of it.
 */
#include "proto/safety_number.h"

#include <string.h>

#include "base/base64.h"
#include "crypto/digest.h"

enum { GROUPS = 12, GROUP_DIGITS = 5, GROUP_BYTES = 5, GROUP_MODULUS = 100000 };

int checksum_combine(const struct fingerprint *a, const struct fingerprint *b,
                     uint8_t checksum[static CHECKSUM_SIZE])
{
    static const char context[] = "p2pchat/1 checksum";
    bool ordered = fingerprint_compare(a, b) < 0;
    const struct span parts[] = {
        SPAN(context, sizeof(context)),
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
    const struct span parts[] = {SPAN(context, sizeof(context)), SPAN(checksum, CHECKSUM_SIZE)};
    int rc = checksum_combine(a, b, checksum);

    if (rc == 0)
        rc = sha512(parts, 2, hash);
    if (rc != 0)
        return rc;
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
    static const char prefix[] = "p2pchat1:";
    uint8_t checksum[CHECKSUM_SIZE];
    int rc = checksum_combine(a, b, checksum);

    if (rc != 0)
        return rc;
    memcpy(text, prefix, sizeof(prefix) - 1);
    hex_encode(checksum, sizeof(checksum), text + sizeof(prefix) - 1);
    return 0;
}
