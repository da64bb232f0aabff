/* SPDX-License-Identifier: ISC */
/*
 * The one kind of item so far: a text message.
 *
 *     0  16  id, not zero
 *    16  16  id of the item transmitted before it, or zero
 *    32   8  time, milliseconds since 1970, as the sender says
 *    40   1  kind: 0 = text
 *    41   n  UTF-8 without NUL, 1..65536 bytes
 */
#pragma once

#include "base/outcome.h"
#include "proto/session_types.h"

enum {
    MESSAGE_PREFIX_SIZE = 41,
    MESSAGE_SIZE_MIN = MESSAGE_PREFIX_SIZE + 1,
    MESSAGE_SIZE_MAX = MESSAGE_PREFIX_SIZE + SESSION_TEXT_MAX,
};

enum message_outcome {
    MESSAGE_MALFORMED = OUTCOME_MESSAGE,
};

/* Appends a MESSAGE record. 0 or -ENOMEM, with `out` unchanged. */
int message_append(struct bytes *out, const struct session_item *item);

/* Reads the body of a MESSAGE record; the text is borrowed from it. 0 or MESSAGE_MALFORMED. */
int message_parse(struct span body, struct session_item *item);
