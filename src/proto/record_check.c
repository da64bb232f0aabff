/* SPDX-License-Identifier: ISC */
/*
 * What each type of record must look like, and who may send it.
 */
#include "proto/record_check.h"

#include "crypto/keyx.h"
#include "proto/features.h"
#include "proto/file_item.h"
#include "proto/message.h"
#include "proto/told.h"

/* Who may send it: 0 for both. */
enum { ANYBODY = 0 };

static bool message_legal(struct span body, uint32_t features)
{
    struct session_item item;
    return message_parse(body, features, &item) == 0;
}

static bool offer_legal(struct span body, uint32_t features)
{
    struct session_item item;
    (void)features;
    return item_parse(RECORD_FILE_OFFER, body, &item) == 0;
}

static bool file_state_legal(struct span body, uint32_t features)
{
    struct session_item item;
    (void)features;
    return item_parse(RECORD_FILE_STATE, body, &item) == 0;
}

static bool class_legal(struct span body, uint32_t features)
{
    (void)features;
    return body.data[0] < LANE_CLASSES;
}

static bool addresses_legal(struct span body, uint32_t features)
{
    (void)features;
    return told_legal(body);
}

/* What a record of a known type must look like. */
struct rule {
    uint8_t type;
    bool item;         /* what is wrong with it is wrong for good, whoever sends it again */
    bool last;         /* nothing may follow it in its packet */
    int sender;        /* a session_role, or ANYBODY */
    uint32_t min, max; /* size of the body … */
    uint32_t hybrid;   /* … and how much more it is in suite 2 */
    /* its content, in a session with these features; NULL when the size says all */
    bool (*legal)(struct span body, uint32_t features);
    uint32_t feature; /* that it needs; 0 for none */
};

static const struct rule rules[] = {
    {RECORD_PING, false, false, ANYBODY, 8, 8, 0, NULL, 0},
    {RECORD_PONG, false, false, ANYBODY, 8, 8, 0, NULL, 0},
    {RECORD_CLOSE, false, true, ANYBODY, 1, 1, 0, NULL, 0},
    {RECORD_APPROVE, false, false, ANYBODY, 0, 0, 0, NULL, 0},
    {RECORD_ACK, false, false, ANYBODY, 8, 8, 0, NULL, 0},
    {RECORD_REKEY_WANT, false, false, SESSION_JOINER, 0, 0, 0, NULL, 0},
    {RECORD_REKEY_INIT, false, false, SESSION_HOST, KEYX_SIZE, KEYX_SIZE, KEM_KEY_SIZE, NULL, 0},
    {RECORD_REKEY_RESP, false, true, SESSION_JOINER, KEYX_SIZE, KEYX_SIZE, KEM_CIPHERTEXT_SIZE,
     NULL, 0},
    {RECORD_REKEY_DONE, false, true, SESSION_HOST, 0, 0, 0, NULL, 0},
    {RECORD_MESSAGE, true, false, ANYBODY, MESSAGE_SIZE_MIN, MESSAGE_SIZE_MAX, 0, message_legal, 0},
    {RECORD_FILE_OFFER, true, false, ANYBODY, ITEM_PREFIX_SIZE + FILE_OFFER_SIZE_MIN,
     ITEM_PREFIX_SIZE + FILE_OFFER_SIZE_MAX, 0, offer_legal, FEATURE_FILES},
    {RECORD_FILE_STATE, true, false, ANYBODY, ITEM_PREFIX_SIZE + FILE_STATE_SIZE,
     ITEM_PREFIX_SIZE + FILE_STATE_SIZE, 0, file_state_legal, FEATURE_FILES},
    {RECORD_LANE_WANT, false, false, SESSION_JOINER, LANE_WANT_SIZE, LANE_WANT_SIZE, 0, class_legal,
     FEATURE_STREAMS},
    {RECORD_LANE_OFFER, false, false, SESSION_HOST, LANE_OFFER_SIZE, LANE_OFFER_SIZE, 0,
     class_legal, FEATURE_STREAMS},
    {RECORD_LANE_FAILED, false, false, SESSION_JOINER, LANE_FAILED_SIZE, LANE_FAILED_SIZE, 0,
     class_legal, FEATURE_STREAMS},
    {RECORD_LANE_KEY, false, false, SESSION_HOST, LANE_KEY_SIZE, LANE_KEY_SIZE, 0, class_legal,
     FEATURE_STREAMS},
    {RECORD_INSTANCE, false, false, ANYBODY, INSTANCE_SIZE, INSTANCE_SIZE, 0, NULL, 0},
    {RECORD_CLONED, false, false, ANYBODY, CLONED_SIZE, CLONED_SIZE, 0, NULL, 0},
    {RECORD_ADDRESSES, false, false, ANYBODY, 1, TOLD_BODY_MAX, 0, addresses_legal, 0},
};

static bool allowed(const struct rule *rule, bool is_last, enum session_role sender)
{
    return (rule->sender == ANYBODY || rule->sender == (int)sender) && (is_last || !rule->last);
}

static bool well_formed(const struct rule *rule, struct span body, enum suite suite,
                        uint32_t features)
{
    uint32_t more = suite == SUITE_HYBRID ? rule->hybrid : 0;
    return body.size >= rule->min + more && body.size <= rule->max + more &&
           (rule->legal == NULL || rule->legal(body, features));
}

static int check_one(const struct record *record, bool is_last, enum session_role sender,
                     enum suite suite, uint32_t features)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *rule = &rules[i];
        if (rule->type != record->type || (rule->feature & ~features) != 0)
            continue;
        if (!allowed(rule, is_last, sender))
            return RECORD_MALFORMED;
        if (!well_formed(rule, record->body, suite, features))
            return rule->item ? RECORD_BAD_ITEM : RECORD_MALFORMED;
        return 0;
    }
    return record->type >= RECORD_OPTIONAL ? 0 : RECORD_UNSUPPORTED;
}

int record_check(struct span records, enum session_role sender, enum suite suite, uint32_t features)
{
    struct reader reader = reader_of(records);
    struct record record;
    int r = 0;
    while (r == 0 && record_next(&reader, &record))
        r = check_one(&record, reader.left == 0, sender, suite, features);
    return r == 0 && reader.failed ? RECORD_MALFORMED : r;
}
