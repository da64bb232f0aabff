/* SPDX-License-Identifier: ISC */
/*
 * Items: messages, offers of files and what becomes of those.
 *
 *     0  16  id, not zero
 *    16  16  id of the item transmitted before it, or zero
 *    32   8  time, milliseconds since 1970, as the sender says
 *
 * A message goes on with its kind; the others are records of their own (file_item.h).
 *
 *    40   1  kind: 0 = text, 1 = headers and bytes
 *    41   n  0: UTF-8 without NUL, 1..65536 bytes; 1: see headers.h
 */
#pragma once

#include "base/outcome.h"
#include "proto/headers.h"
#include "proto/session_types.h"

enum {
    ITEM_PREFIX_SIZE = 40,
    MESSAGE_PREFIX_SIZE = ITEM_PREFIX_SIZE + 1,
    MESSAGE_SIZE_MIN = MESSAGE_PREFIX_SIZE + 1,
    MESSAGE_CONTENT_MAX = HEADERS_PREFIX_SIZE + HEADERS_SIZE_MAX + HEADERS_BODY_MAX,
    MESSAGE_SIZE_MAX = MESSAGE_PREFIX_SIZE + MESSAGE_CONTENT_MAX,
};

enum message_outcome {
    MESSAGE_MALFORMED = OUTCOME_MESSAGE,
};

/* Appends the record of an item. 0 or -ENOMEM, with `out` unchanged. */
int message_append(struct bytes *out, const struct session_item *item);

/* The size of that record. */
size_t message_record_size(const struct session_item *item);

/* Features that both sides need for an item of this kind. */
uint32_t message_needs(enum session_kind kind);

/* The most bytes that the content of one may have. */
size_t message_content_max(enum session_kind kind);

/*
 * Reads the body of a MESSAGE record of a session with these features; the content is borrowed from
 * it. 0 or MESSAGE_MALFORMED.
 */
int message_parse(struct span body, uint32_t features, struct session_item *item);

/* The same for the body of a record about files, of this type (an enum session_kind too). */
int item_parse(uint8_t type, struct span body, struct session_item *item);
