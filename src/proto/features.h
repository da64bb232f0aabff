/* SPDX-License-Identifier: ISC */
/*
 * Features: what a side can do beyond plain text, as bits of IDENT and KEY. Both sides need a bit
 * for its effect; unknown bits are ignored.
 */
#pragma once

#include <stdint.h>

enum feature {
    FEATURE_HEADERS = 1 << 0,
    FEATURE_CALLS = 1 << 1, /* needs HEADERS */
    FEATURE_STREAMS = 1 << 8,
    FEATURE_FILES = 1 << 9, /* needs STREAMS */
    FEATURE_REACH = 1 << 16,
};

/*
 * Only in IDENT, and no feature in common: the joiner says that its way here leads through somebody
 * else.
 */
#define FEATURE_PATH_INDIRECT (UINT32_C(1) << 31)

/* What two sides can do together. A bit counts only with the one that it needs. */
uint32_t features_common(uint32_t ours, uint32_t theirs);

/* What of a side's features is worth to be remembered: all but what is said of one connection. */
uint32_t features_lasting(uint32_t theirs);

/* "streams" and so on; NULL for a bit (0 to 31) that means nothing to this program. */
const char *features_name(unsigned bit);
