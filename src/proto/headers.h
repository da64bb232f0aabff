/* SPDX-License-Identifier: ISC */
/*
 * Headers: what a message of kind 1 says of itself besides its bytes.
 *
 * The content of such a message has one form only, so that what is accepted encodes back to the
 * same bytes:
 *
 *     0  2  size of the headers, 3..4096
 *     2  H  headers      tag (1) || size of the value (2) || value
 *     .  n  body         0..65536 bytes of any value
 *
 *     tag   name      value
 *     0x01  type      3..127 characters of ASCII with a '/' in between: the media type of the body
 *     0x02  topic     a line of 1..255 bytes without '#' and '+'; '/' divides its levels
 *     0x03  key       a line of 1..128 bytes: what this message is the latest state of
 *     0x04  reply-to  the id (16) of a message between the two peers
 *     0x05  priority  0 low, 2 high; a normal one has no such header
 *     0x06  forget    seconds (4) after which the body shall be removed, at least 1
 *     0x10  ask       seconds (4), 1..2592000 || name of a service      0x10 to 0x13 need
 *     0x11  report    nothing: say when it was processed                FEATURE_CALLS, and only
 *     0x12  result    outcome (1) || status (1)                         one of them may be there
 *     0x13  cancel    nothing: takes back what reply-to names
 *     0x7f  user      size (1) of a name || name [a-z][a-z0-9-]{0,31} || a line of 0..1024 bytes
 *
 * Tags ascend; only `user` comes more than once, and then its names ascend. Other tags below 0x7f
 * are of later versions: they are kept as they came and mean nothing here. A line is valid UTF-8
 * without control characters.
 */
#pragma once

#include "base/bytes.h"
#include "base/outcome.h"
#include "base/uuid.h"

enum {
    HEADERS_SIZE_MIN = 3,
    HEADERS_SIZE_MAX = 4096,
    HEADERS_PREFIX_SIZE = 2, /* of the content, before the headers */
    HEADERS_BODY_MAX = 65536,
    HEADERS_TYPE_MAX = 127,
    HEADERS_TOPIC_MAX = 255,
    HEADERS_KEY_MAX = 128,
    HEADERS_ASK_S_MAX = 2592000,
    HEADERS_USERS_MAX = 32,
    HEADERS_USERS_SIZE = 2048, /* of all user headers as they are encoded */
    HEADERS_NAME_MAX = 32,     /* of one */
    HEADERS_VALUE_MAX = 1024,
    HEADERS_UNKNOWN_MAX = 127,
};

enum headers_outcome {
    HEADERS_MALFORMED = OUTCOME_HEADERS,
};

/* What came of a request; any other number reads as FAILED. */
enum result_kind {
    RESULT_EXITED = 0,      /* the command, with `status` */
    RESULT_SIGNALLED = 1,   /* it was ended by the signal `status` */
    RESULT_REFUSED = 2,     /* no such service for this peer */
    RESULT_LATE = 3,        /* its time was over before it was begun */
    RESULT_INTERRUPTED = 4, /* nobody knows; it may have run */
    RESULT_TOO_LARGE = 5,   /* the command said more than a message holds, and was ended */
    RESULT_CANCELLED = 6,   /* before it was begun */
    RESULT_FAILED = 7,      /* the command could not be run */
    RESULT_BUSY = 8,        /* too many wait */
    RESULT_GIVEN_UP = 9,    /* a message was set aside */
};

enum headers_priority { PRIORITY_LOW = 0, PRIORITY_NORMAL = 1, PRIORITY_HIGH = 2 };

struct headers_user {
    struct span name, value;
};

/* Headers of one message. What is not there is zero or empty; texts are borrowed. */
struct headers {
    struct span type, topic, key;
    struct uuid reply_to;
    enum headers_priority priority;
    uint32_t forget_s;
    uint32_t ask_s; /* with `service` */
    struct span service;
    bool report, cancel;
    bool has_result;
    uint8_t outcome, status; /* of the result */
    struct headers_user users[HEADERS_USERS_MAX];
    unsigned user_count;
    uint8_t unknown[HEADERS_UNKNOWN_MAX]; /* tags */
    unsigned unknown_count;
};

/* None, of normal priority. */
void headers_init(struct headers *headers);

/* Whether there are none. */
bool headers_empty(const struct headers *headers);

/*
 * Puts the users in their order. False when a name comes twice.
 */
bool headers_sort_users(struct headers *headers);

/*
 * The name of the first header that may not be so, or that may not stand beside the others and a
 * body of this size; NULL when all is well. `features` are those that the reader has.
 */
const char *headers_flaw(const struct headers *headers, size_t body_size, uint32_t features);

/*
 * Appends a content of headers without a flaw, none of them unknown. 0, -ENOMEM with `out`
 * unchanged, or HEADERS_MALFORMED when they are too large together.
 */
int headers_append(struct bytes *out, const struct headers *headers, struct span body);

/* Reads a content that has all the features. 0 or HEADERS_MALFORMED. */
int headers_parse(struct span content, uint32_t features, struct headers *headers,
                  struct span *body);
