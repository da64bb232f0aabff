/* SPDX-License-Identifier: ISC */
/*
 * Which features two sides have in common; what each is for is in other files.
 */
#include "proto/features.h"

#include <stddef.h>

static const struct {
    uint32_t feature;
    uint32_t needs;
} needs[] = {
    {FEATURE_CALLS, FEATURE_HEADERS},
    {FEATURE_FILES, FEATURE_STREAMS},
};

uint32_t features_common(uint32_t ours, uint32_t theirs)
{
    uint32_t common = ours & theirs;
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        if ((common & needs[i].needs) == 0)
            common &= ~needs[i].feature;
    return common;
}
