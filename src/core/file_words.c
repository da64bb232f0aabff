/* SPDX-License-Identifier: ISC */
/*
 * Words for how transfers end, and why.
 */
#include "core/file_words.h"

#include <string.h>

#include "proto/file_item.h"

static const char *const reasons[] = {
    [FILE_NO_REASON] = "",      [FILE_BY_PERSON] = "person",  [FILE_BY_POLICY] = "policy",
    [FILE_TOO_LARGE] = "size",  [FILE_GONE] = "gone",         [FILE_CHANGED] = "changed",
    [FILE_DAMAGED] = "damaged", [FILE_TOO_MANY] = "too many",
};

enum { REASONS = sizeof reasons / sizeof *reasons };

const char *file_end_word(uint8_t state)
{
    static const char *const names[] = {[FILE_DONE] = "done",
                                        [FILE_REFUSED] = "refused",
                                        [FILE_CANCELLED] = "cancelled",
                                        [FILE_FAILED] = "failed",
                                        [FILE_EXPIRED] = "expired"};
    return state >= FILE_DONE && state <= FILE_EXPIRED ? names[state] : "open";
}

const char *file_reason_word(uint8_t reason)
{
    return reason < REASONS ? reasons[reason] : "";
}

uint8_t file_reason_of(const char *name)
{
    for (uint8_t reason = 0; reason < REASONS; reason++)
        if (strcmp(reasons[reason], name) == 0)
            return reason;
    return FILE_NO_REASON;
}
