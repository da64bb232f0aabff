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

static const struct {
    uint32_t feature;
    const char *name;
} names[] = {
    {FEATURE_HEADERS, "headers"}, {FEATURE_CALLS, "calls"}, {FEATURE_STREAMS, "streams"},
    {FEATURE_FILES, "files"},     {FEATURE_REACH, "reach"},
};

uint32_t features_common(uint32_t ours, uint32_t theirs)
{
    uint32_t common = ours & theirs;
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        if ((common & needs[i].needs) == 0)
            common &= ~needs[i].feature;
    return common;
}

uint32_t features_lasting(uint32_t theirs)
{
    return theirs & ~FEATURE_PATH_INDIRECT;
}

const char *features_name(unsigned bit)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].feature == UINT32_C(1) << bit)
            return names[i].name;
    return NULL;
}
