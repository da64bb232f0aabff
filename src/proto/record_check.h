/* SPDX-License-Identifier: ISC */
/*
 * Judging records: those of a packet are all judged by what can be seen without knowing the
 * session's state before the first of them has any effect.
 */
#pragma once

#include "base/outcome.h"
#include "proto/exchange.h"
#include "proto/record.h"

enum record_outcome {
    RECORD_MALFORMED = OUTCOME_RECORD,
    RECORD_UNSUPPORTED, /* a critical type that we don't know */
    RECORD_BAD_ITEM,    /* an item that can't be taken */
};

/*
 * Judges all records of a packet: lengths, which depend on the suite, types, which of them only a
 * host or only a joiner sends, and which must be the last. What needs a feature is unknown without
 * it. 0 or a record_outcome.
 */
int record_check(struct span records, enum session_role sender, enum suite suite,
                 uint32_t features);
