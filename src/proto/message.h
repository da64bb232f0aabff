/* SPDX-License-Identifier: ISC */
/*
 * Items that are messages.
 *
 *     0  16  id, not zero
 *    16  16  id of the item transmitted before it, or zero
 *    32   8  time, milliseconds since 1970, as the sender says
 *    40   1  kind: 0 = text, 1 = headers and bytes
 *    41   n  0: UTF-8 without NUL, 1..65536 bytes; 1: see headers.h
 */
#pragma once

#include "base/outcome.h"
#include "proto/headers.h"
#include "proto/session_types.h"

enum {
    MESSAGE_PREFIX_SIZE = 41,
    MESSAGE_SIZE_MIN = MESSAGE_PREFIX_SIZE + 1,
    MESSAGE_CONTENT_MAX = HEADERS_PREFIX_SIZE + HEADERS_SIZE_MAX + HEADERS_BODY_MAX,
    MESSAGE_SIZE_MAX = MESSAGE_PREFIX_SIZE + MESSAGE_CONTENT_MAX,
};

enum message_outcome {
    MESSAGE_MALFORMED = OUTCOME_MESSAGE,
};

/* Appends a MESSAGE record. 0 or -ENOMEM, with `out` unchanged. */
int message_append(struct bytes *out, const struct session_item *item);

/*
 * Reads the body of a MESSAGE record of a session with these features; the content is borrowed from
 * it. 0 or MESSAGE_MALFORMED.
 */
int message_parse(struct span body, uint32_t features, struct session_item *item);
