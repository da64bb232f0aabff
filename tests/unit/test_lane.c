/* SPDX-License-Identifier: ISC */
/*
 * Lanes: keys, frames and generations against tests/vectors/lane.json, which two other programs
 * agree on; then everything on the wire that is not as it must be.
 */
#include <jansson.h>
#include <string.h>

#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "proto/lane.h"
#include "unit/cmocka_all.h"
#include "unit/fake_random.h"
#include "unit/hex.h"

enum { TEXT_MAX = 40000 };

static json_t *vectors(void)
{
    static json_t *loaded;
    if (loaded == NULL)
        loaded = json_load_file(VECTORS_DIR "/lane.json", 0, NULL);
    assert_non_null(loaded);
    return loaded;
}

static size_t take(const char *part, const char *name, uint8_t *data)
{
    return unhex(json_string_value(json_object_get(json_object_get(vectors(), part), name)), data);
}

static void assert_secret(const struct secret *secret, const char *part, const char *name)
{
    uint8_t expected[SECRET_SIZE];
    take(part, name, expected);
    assert_memory_equal(secret->bytes, expected, SECRET_SIZE);
}

/* Two ends of one lane, as recorded. */
struct pair {
    uint8_t sid[SHA256_SIZE];
    struct lane_offer offer;
    uint8_t attach[LANE_ATTACH_SIZE];
    struct lane joiner;
    struct lane host;
};

static void pair_init(struct pair *pair)
{
    struct lane_secrets secrets;
    uint8_t random_j[32];
    memset(pair, 0, sizeof *pair);
    take("inputs", "sid", pair->sid);
    take("inputs", "lane_id", pair->offer.id);
    take("inputs", "secret", pair->offer.secret.bytes);
    take("inputs", "random_J", random_j);
    fake_random_reset();
    fake_random_push(random_j, sizeof random_j);
    assert_int_equal(lane_attach_make(pair->sid, &pair->offer, pair->attach, &secrets), 0);
    lane_begin(&pair->joiner, SESSION_JOINER, &pair->offer, &secrets, 0);
    assert_int_equal(lane_attach_check(pair->sid, &pair->offer, pair->attach, &secrets), 0);
    lane_begin(&pair->host, SESSION_HOST, &pair->offer, &secrets, 0);
}

static void pair_deinit(struct pair *pair)
{
    lane_deinit(&pair->joiner);
    lane_deinit(&pair->host);
}

/* Seals records as they are. */
static void seal(struct lane *lane, struct span records, struct bytes *frame)
{
    assert_int_equal(lane_frame_begin(frame), 0);
    assert_int_equal(bytes_append(frame, records.data, records.size), 0);
    assert_int_equal(lane_frame_seal(lane, frame), 0);
}

/* Gives a frame in pieces of `step` bytes; the outcome of the last. */
static int give(struct lane *lane, struct span frame, size_t step)
{
    int r = 0;
    for (size_t at = 0; at < frame.size && r == 0;) {
        size_t used, size = frame.size - at < step ? frame.size - at : step;
        r = lane_take(lane, SPAN(frame.data + at, size), &used, 0);
        at += used;
    }
    return r;
}

/* --- as recorded ------------------------------------------------------------------------------ */

static void test_the_keys_are_the_recorded_ones(void **state)
{
    uint8_t expected[LANE_ATTACH_SIZE];
    struct pair pair;
    (void)state;
    pair_init(&pair);
    assert_int_equal(take("attach", "ATTACH_frame", expected), LANE_ATTACH_SIZE);
    assert_memory_equal(pair.attach, expected, LANE_ATTACH_SIZE);
    assert_secret(&pair.host.root, "attach", "lane_root_0");
    assert_secret(&pair.host.sending.chain, "attach", "chain_host_0");
    assert_secret(&pair.host.receiving.chain, "attach", "chain_joiner_0");
    assert_secret(&pair.joiner.sending.chain, "attach", "chain_joiner_0");
    assert_secret(&pair.joiner.receiving.chain, "attach", "chain_host_0");
    pair_deinit(&pair);
}

/* The records of a recorded frame, without a SWITCH, which the lane says by itself. */
static struct span records_of(const json_t *frame, uint8_t *data)
{
    size_t size = unhex(json_string_value(json_object_get(frame, "records")), data);
    return SPAN(data, size > 4 && data[4] == LANE_SWITCH ? 0 : size);
}

static void take_new_key(struct pair *pair)
{
    uint8_t record[64];
    size_t size = take("rekey", "LANE_KEY_record", record);
    assert_int_equal(lane_take_key(&pair->host, SPAN(record, size), 0), 0);
    assert_int_equal(lane_take_key(&pair->joiner, SPAN(record, size), 0), 0);
    assert_secret(&pair->host.root, "rekey", "lane_root_1");
}

/* What was opened is what was sealed, record for record; encoded again it gives the same bytes. */
static void assert_same_records(struct lane *lane, struct span records)
{
    struct bytes again = {0};
    struct lane_record record;
    while (lane_next(lane, &record)) {
        if (record.type == LANE_SWITCH)
            assert_int_equal(lane_take_switch(lane, record.value), 0);
        else
            assert_int_equal(lane_record_append(&again, &record), 0);
    }
    assert_int_equal(again.size, records.size);
    if (records.size > 0)
        assert_memory_equal(again.data, records.data, records.size);
    bytes_deinit(&again);
}

static void replay_recorded(struct pair *pair, size_t step)
{
    static uint8_t data[TEXT_MAX], expected[TEXT_MAX];
    struct bytes frame = {0};
    const json_t *recorded;
    size_t i;
    json_array_foreach(json_object_get(vectors(), "frames"), i, recorded)
    {
        bool from_joiner = json_string_value(json_object_get(recorded, "from"))[0] == 'J';
        struct lane *sender = from_joiner ? &pair->joiner : &pair->host;
        struct span records = records_of(recorded, data);
        if (records.size == 0 && !lane_switching(&pair->host))
            take_new_key(pair);
        seal(sender, records, &frame);
        size_t size = unhex(json_string_value(json_object_get(recorded, "frame")), expected);
        assert_int_equal(frame.size, size);
        assert_memory_equal(frame.data, expected, size);
        struct lane *receiver = from_joiner ? &pair->host : &pair->joiner;
        assert_int_equal(give(receiver, bytes_span(&frame), step), 0);
        assert_same_records(receiver, records);
    }
    bytes_deinit(&frame);
}

static void test_the_frames_are_the_recorded_ones_whatever_pieces_they_come_in(void **state)
{
    static const size_t steps[] = {1, 2, 3, 7, 64, 276, TEXT_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct pair pair;
        pair_init(&pair);
        replay_recorded(&pair, steps[i]);
        assert_int_equal(pair.host.sending.generation, 1);
        assert_int_equal(pair.joiner.sending.generation, 1);
        assert_false(lane_switching(&pair.host) || lane_switching(&pair.joiner));
        pair_deinit(&pair);
    }
}

static void assert_tag(const struct bytes *frame, const char *expected)
{
    uint8_t tag[AEAD_TAG_SIZE];
    unhex(expected, tag);
    assert_memory_equal(frame->data + frame->size - AEAD_TAG_SIZE, tag, AEAD_TAG_SIZE);
}

static void test_a_full_frame_and_the_change_of_keys_are_the_recorded_ones(void **state)
{
    struct bytes frame = {0}, records = {0};
    uint8_t data[LANE_RECORDS_MAX - LANE_DATA_OVERHEAD];
    struct pair pair;
    const json_t *recorded, *bulk = json_object_get(vectors(), "bulk");
    size_t i;
    (void)state;
    pair_init(&pair);
    replay_recorded(&pair, TEXT_MAX);
    for (i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(7 * i);
    struct lane_record record = {.type = LANE_DATA, .id = 9, .data = SPAN(data, sizeof data)};
    assert_int_equal(lane_record_append(&records, &record), 0);
    seal(&pair.joiner, bytes_span(&records), &frame);
    assert_int_equal(frame.size, json_integer_value(json_object_get(bulk, "frame_size")));
    assert_tag(&frame, json_string_value(json_object_get(bulk, "tag")));
    json_array_foreach(json_object_get(json_object_get(vectors(), "ratchet"), "frames"), i,
                       recorded)
    {
        json_int_t counter = json_integer_value(json_object_get(recorded, "counter"));
        record = (struct lane_record){
            .type = LANE_WINDOW, .id = 9, .taken = 4096 * (uint64_t)counter, .window = 16384};
        bytes_clear(&records);
        assert_int_equal(lane_record_append(&records, &record), 0);
        seal(&pair.joiner, bytes_span(&records), &frame);
        assert_tag(&frame, json_string_value(json_object_get(recorded, "tag")));
    }
    bytes_deinit(&records);
    bytes_deinit(&frame);
    pair_deinit(&pair);
}

/* --- not as it must be ------------------------------------------------------------------------ */

static void test_an_attach_made_without_the_secret_is_refused(void **state)
{
    struct lane_secrets secrets;
    struct lane_offer other;
    struct pair pair;
    (void)state;
    pair_init(&pair);
    assert_ptr_equal(lane_attach_id(pair.attach), pair.attach + 13);
    for (size_t bit = 0; bit < 8 * LANE_ATTACH_SIZE; bit++) {
        uint8_t frame[LANE_ATTACH_SIZE];
        memcpy(frame, pair.attach, sizeof frame);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        bool in_head = bit / 8 < 13;
        assert_true(in_head == (lane_attach_id(frame) == NULL));
        assert_int_equal(lane_attach_check(pair.sid, &pair.offer, frame, &secrets),
                         LANE_KEYS_FORGED);
    }
    other = pair.offer;
    other.secret.bytes[0] ^= 1;
    assert_int_equal(lane_attach_check(pair.sid, &other, pair.attach, &secrets), LANE_KEYS_FORGED);
    pair.sid[31] ^= 1;
    assert_int_equal(lane_attach_check(pair.sid, &pair.offer, pair.attach, &secrets),
                     LANE_KEYS_FORGED);
    pair_deinit(&pair);
}

static const uint8_t ready[] = {0, 0, 0, 0, LANE_READY};

static void test_a_flipped_bit_loses_the_lane(void **state)
{
    struct bytes frame = {0};
    (void)state;
    for (size_t bit = 40; bit < 8 * 277; bit += 3) {
        struct pair pair;
        pair_init(&pair);
        seal(&pair.joiner, SPAN(ready, sizeof ready), &frame);
        frame.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(give(&pair.host, bytes_span(&frame), TEXT_MAX), LANE_TAMPERED);
        pair_deinit(&pair);
    }
    bytes_deinit(&frame);
}

static void test_frames_out_of_order_again_or_reflected_lose_the_lane(void **state)
{
    struct bytes first = {0}, second = {0};
    struct lane_record record;
    struct pair pair;
    (void)state;
    pair_init(&pair);
    seal(&pair.joiner, SPAN(ready, sizeof ready), &first);
    seal(&pair.joiner, SPAN(ready, sizeof ready), &second);
    assert_int_equal(give(&pair.host, bytes_span(&second), TEXT_MAX), LANE_TAMPERED);
    pair_deinit(&pair);

    pair_init(&pair);
    assert_int_equal(give(&pair.host, bytes_span(&first), TEXT_MAX), 0);
    assert_true(lane_next(&pair.host, &record));
    assert_int_equal(give(&pair.host, bytes_span(&first), TEXT_MAX), LANE_TAMPERED);
    pair_deinit(&pair);

    pair_init(&pair);
    assert_int_equal(give(&pair.joiner, bytes_span(&first), TEXT_MAX), LANE_TAMPERED);
    pair_deinit(&pair);
    bytes_deinit(&first);
    bytes_deinit(&second);
}

static void test_a_header_is_judged_before_the_body_comes(void **state)
{
    static const struct frame_header wrong[] = {
        {255 + 16, FRAME_LANE},   {128 + 16, FRAME_LANE}, {65536 + 16, FRAME_LANE},
        {3072 + 16, FRAME_LANE},  {0, FRAME_LANE},        {15, FRAME_LANE},
        {UINT32_MAX, FRAME_LANE}, {272, FRAME_PACKET},    {88, FRAME_ATTACH},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t header[FRAME_HEADER_SIZE];
        struct pair pair;
        pair_init(&pair);
        frame_header_put(header, wrong[i]);
        assert_int_equal(give(&pair.host, SPAN(header, sizeof header), 1), LANE_FAULT);
        assert_true(pair.host.frame.capacity <= 1024);
        pair_deinit(&pair);
    }
}

/* A frame whose content is just this, sealed with the right key. */
static int give_content(struct pair *pair, uint32_t size, struct span content)
{
    struct bytes frame = {0};
    uint8_t iv[AEAD_IV_SIZE] = {0};
    seal(&pair->joiner, SPAN(ready, sizeof ready), &frame);
    uint8_t *text = frame.data + FRAME_HEADER_SIZE;
    memset(text, 0, LANE_CONTENT_MIN);
    put_u32(text, size);
    memcpy(text + 4, content.data, content.size);
    assert_int_equal(aead_seal(&pair->joiner.sending.key, iv, SPAN(frame.data, FRAME_HEADER_SIZE),
                               SPAN(text, LANE_CONTENT_MIN), text),
                     0);
    int r = give(&pair->host, bytes_span(&frame), TEXT_MAX);
    bytes_deinit(&frame);
    return r;
}

static void check_content(uint32_t size, const char *hex, int expected)
{
    uint8_t content[LANE_CONTENT_MIN];
    struct pair pair;
    pair_init(&pair);
    assert_int_equal(give_content(&pair, size, SPAN(content, unhex(hex, content))), expected);
    assert_true((expected == 0) == (pair.host.complaint == NULL));
    pair_deinit(&pair);
}

static void test_a_content_that_does_not_add_up_is_a_fault(void **state)
{
    (void)state;
    check_content(5, "0000000003", 0);
    for (uint32_t size = 0; size < 5; size++)
        check_content(size, "0000000003", LANE_FAULT);
    check_content(253, "0000000003", LANE_FAULT);
    check_content(UINT32_MAX, "0000000003", LANE_FAULT);
    check_content(5, "000000000301", LANE_FAULT);          /* padding */
    check_content(9, "000000000300000000", LANE_FAULT);    /* half a header */
    check_content(10, "00000005030000000003", LANE_FAULT); /* a wrong length */
    check_content(5, "0000000080", 0);                     /* unknown: ignored */
    check_content(5, "0000000011", LANE_FAULT);            /* unknown: not */
    check_content(9, "000000040600000001", LANE_FAULT);    /* no data */
    check_content(10, "000000050600000001aa", 0);
    check_content(14, "000000040d000000010000000003", LANE_FAULT); /* SWITCH not last */
    check_content(11, "000000010e000000000003", LANE_FAULT);       /* BYE not last */
    check_content(6, "000000010e00", 0);
    check_content(14, "000000090900000001010000ff", LANE_FAULT); /* EXIT cut off */
    check_content(14, "00000009090000000101000000ff", 0);
    check_content(14, "0000000909000000010100000100", LANE_FAULT);           /* status 256 */
    check_content(18, "0000000d0400000001000040000103737368", 0);            /* ssh */
    check_content(18, "0000000d0400000001000040000103735368", LANE_FAULT);   /* sSh */
    check_content(18, "0000000d0400000001000040000104737368", LANE_FAULT);   /* longer than it is */
    check_content(19, "0000000e040000000100004000010373736861", LANE_FAULT); /* an argument */
    check_content(20, "0000000f04000000010000400001042e66696c61", 0);        /* of one of ours */
    check_content(15, "0000000a04000000010000400001", LANE_FAULT);
}

static void test_generations_come_one_after_the_other(void **state)
{
    uint8_t record[64];
    struct pair pair;
    size_t size;
    (void)state;
    pair_init(&pair);
    assert_int_equal(lane_take_switch(&pair.host, 1), LANE_FAULT);
    size = take("rekey", "LANE_KEY_record", record);
    record[25] = 2;
    assert_int_equal(lane_take_key(&pair.joiner, SPAN(record, size), 0), LANE_FAULT);
    record[25] = 1;
    assert_int_equal(lane_take_key(&pair.joiner, SPAN(record, size), 0), 0);
    assert_int_equal(lane_take_key(&pair.joiner, SPAN(record, size), 0), LANE_FAULT);
    assert_int_equal(lane_take_switch(&pair.joiner, 1), LANE_FAULT); /* the host's came first */
    assert_int_equal(lane_take_key(&pair.host, SPAN(record, size), 1000), 0);
    assert_int_equal(lane_take_switch(&pair.host, 2), LANE_FAULT);
    pair.host.heard = true;
    assert_int_equal(lane_deadline(&pair.host), 1000 + LANE_SWITCH_TIMEOUT_MS);
    assert_int_equal(lane_take_switch(&pair.host, 1), 0);
    assert_int_equal(lane_deadline(&pair.host), UINT64_MAX);
    pair_deinit(&pair);
}

static void test_a_lane_that_stops_is_given_up(void **state)
{
    struct bytes frame = {0};
    struct lane_record record;
    struct pair pair;
    size_t used;
    (void)state;
    pair_init(&pair);
    assert_int_equal(lane_deadline(&pair.host), LANE_FIRST_TIMEOUT_MS);
    seal(&pair.joiner, SPAN(ready, sizeof ready), &frame);
    assert_int_equal(give(&pair.host, bytes_span(&frame), TEXT_MAX), 0);
    assert_true(lane_next(&pair.host, &record));
    assert_int_equal(lane_deadline(&pair.host), UINT64_MAX);
    seal(&pair.joiner, SPAN(ready, sizeof ready), &frame);
    assert_int_equal(lane_take(&pair.host, SPAN(frame.data, 10), &used, 500), 0);
    assert_int_equal(lane_deadline(&pair.host), 500 + LANE_FRAME_TIMEOUT_MS);
    lane_rest(&pair.host);
    assert_int_equal(pair.host.frame.size, 10); /* half a frame is kept */
    bytes_deinit(&frame);
    pair_deinit(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_keys_are_the_recorded_ones),
        cmocka_unit_test(test_the_frames_are_the_recorded_ones_whatever_pieces_they_come_in),
        cmocka_unit_test(test_a_full_frame_and_the_change_of_keys_are_the_recorded_ones),
        cmocka_unit_test(test_an_attach_made_without_the_secret_is_refused),
        cmocka_unit_test(test_a_flipped_bit_loses_the_lane),
        cmocka_unit_test(test_frames_out_of_order_again_or_reflected_lose_the_lane),
        cmocka_unit_test(test_a_header_is_judged_before_the_body_comes),
        cmocka_unit_test(test_a_content_that_does_not_add_up_is_a_fault),
        cmocka_unit_test(test_generations_come_one_after_the_other),
        cmocka_unit_test(test_a_lane_that_stops_is_given_up),
    };
    assert_int_equal(crypto_init(), 0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(vectors());
    return failed;
}
