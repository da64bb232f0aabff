/* SPDX-License-Identifier: ISC */
/*
 * Fingerprints as values and as text. How one is made of a key is in pubkey.
 */
#include "base/fingerprint.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"

static const char prefix[] = "SHA256:";

enum {
    PREFIX_LENGTH = sizeof prefix - 1,
    DIGITS_LENGTH = BASE64_LENGTH(FINGERPRINT_SIZE),
};

_Static_assert(PREFIX_LENGTH + DIGITS_LENGTH + 1 == FINGERPRINT_TEXT_MAX, "text fits exactly");

bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b)
{
    return fingerprint_compare(a, b) == 0;
}

int fingerprint_compare(const struct fingerprint *a, const struct fingerprint *b)
{
    return memcmp(a->bytes, b->bytes, FINGERPRINT_SIZE);
}

void fingerprint_format(const struct fingerprint *fingerprint,
                        char text[static FINGERPRINT_TEXT_MAX])
{
    memcpy(text, prefix, PREFIX_LENGTH);
    base64_encode(BASE64_STANDARD, fingerprint->bytes, FINGERPRINT_SIZE, text + PREFIX_LENGTH);
}

int fingerprint_parse(const char *text, struct fingerprint *fingerprint)
{
    if (strncmp(text, prefix, PREFIX_LENGTH) != 0)
        return -EINVAL;
    text += PREFIX_LENGTH;
    return base64_decode(BASE64_STANDARD, text, strlen(text), fingerprint->bytes, FINGERPRINT_SIZE);
}
