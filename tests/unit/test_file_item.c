/* SPDX-License-Identifier: ISC */
/*
 * Tests what is said about files against bytes that another program made.
 */
#include "crypto/crypto.h"
#include "proto/file_item.h"

#include <string.h>

#include "proto/message.h"
#include "proto/record.h"
#include "unit/cmocka_all.h"
#include "unit/hex.h"

static const char offer_record[] =
    "0000006511ccec7637a358cc22d0a3296626234d55000000000000000000000000000000000000018bcfe568000114"
    "000000000016e367000000000000007e000000047d56a83ceb430cc9d063847534d0f35568e32610b85b22b555a3f5"
    "55418a776b00036469720000";
static const char state_record[] =
    "0000003a127713d25bba16579b4f02c85444884974ccec7637a358cc22d0a3296626234d550000018bcfe56801ccec"
    "7637a358cc22d0a3296626234d550100";
static const char hashes_text[] =
    "06b7bbfb7824aa03382051691630eb26de85102d1b08a81e907ec0744cd8a2869647900dd81e55aa6c7df706d5fec0"
    "23b8495f568d44bd71134dd56ec4bee951fa2399c294dba3e0ded821f20781e55d4d0ea8031a6b01bfa4b33c39af9d"
    "d08f";

static uint8_t buffer[512];

/* An item of a record in hexadecimal. */
static int parse(const char *text, size_t size, struct session_item *item)
{
    return item_parse(buffer[4],
                      SPAN(buffer + RECORD_HEADER_SIZE,
                           (size == 0 ? unhex(text, buffer) : size) - RECORD_HEADER_SIZE),
                      item);
}

static struct file_offer known_offer(void)
{
    struct session_item item;
    struct file_offer offer;
    unhex(offer_record, buffer);
    assert_int_equal(parse(offer_record, 0, &item), 0);
    assert_int_equal(item.kind, SESSION_FILE_OFFER);
    assert_int_equal(file_offer_parse(item.content, &offer), 0);
    return offer;
}

static void test_an_offer_is_read_and_written(void **state)
{
    struct bytes out = {0};
    (void)state;
    const struct file_offer offer = known_offer();
    assert_int_equal(offer.data_size, 1500007);
    assert_int_equal(offer.manifest_size, 126);
    assert_int_equal(offer.entries, 4);
    assert_int_equal(offer.name.size, 3);
    assert_memory_equal(offer.name.data, "dir", 3);
    assert_int_equal(file_offer_append(&out, &offer), 0);
    assert_int_equal(out.size, unhex(offer_record, buffer) - 45);
    assert_memory_equal(out.data, buffer + 45, out.size);
    bytes_deinit(&out);
}

static void test_a_whole_record_is_written(void **state)
{
    struct bytes out = {0};
    struct session_item item;
    (void)state;
    unhex(state_record, buffer);
    assert_int_equal(parse(state_record, 0, &item), 0);
    assert_int_equal(message_append(&out, &item), 0);
    assert_int_equal(out.size, strlen(state_record) / 2);
    assert_memory_equal(out.data, buffer, out.size);
    bytes_deinit(&out);
}

static void test_the_root_covers_all_hashes(void **state)
{
    uint8_t hashes[96], root[FILE_HASH_SIZE];
    const struct file_offer offer = known_offer();
    (void)state;
    assert_int_equal(unhex(hashes_text, hashes), file_hashes_size(&offer));
    assert_int_equal(file_root(&offer, SPAN(hashes, sizeof hashes), root), 0);
    assert_memory_equal(root, offer.root, sizeof root);
    hashes[95] ^= 1;
    assert_int_equal(file_root(&offer, SPAN(hashes, sizeof hashes), root), 0);
    assert_memory_not_equal(root, offer.root, sizeof root);
}

static void test_chunks_are_few_and_small(void **state)
{
    const uint64_t mib = 1 << 20;
    (void)state;
    assert_int_equal(file_chunks(0, 20), 0);
    assert_int_equal(file_chunks(1, 20), 1);
    assert_int_equal(file_chunks(mib, 20), 1);
    assert_int_equal(file_chunks(mib + 1, 20), 2);
    assert_int_equal(file_chunk_log2(0, 1), 20);
    assert_int_equal(file_chunk_log2((FILE_CHUNKS_MAX - 1) * mib, mib), 20);
    assert_int_equal(file_chunk_log2((FILE_CHUNKS_MAX - 1) * mib + 1, mib), 21);
    assert_int_equal(file_chunk_log2(FILE_DATA_MAX - 16 * mib, 1), 24);
    assert_int_equal(file_chunk_log2(FILE_DATA_MAX, 1), 0);
    assert_int_equal(file_chunk_log2(UINT64_MAX, 1), 0);
    assert_int_equal(file_chunk_log2(1, 0), 0);
    assert_int_equal(file_chunk_log2(1, FILE_MANIFEST_MAX + 1), 0);
}

/* The known offer with one byte changed, at a place of its content. */
static int parse_with(size_t at, uint8_t value)
{
    struct session_item item;
    const size_t size = unhex(offer_record, buffer);
    buffer[45 + at] = value;
    return parse(offer_record, size, &item);
}

static void test_what_no_offer_may_be(void **state)
{
    struct session_item item;
    (void)state;
    assert_int_equal(parse_with(0, 1), 0);
    assert_int_equal(parse_with(0, 2), MESSAGE_MALFORMED);  /* version */
    assert_int_equal(parse_with(1, 21), MESSAGE_MALFORMED); /* larger chunks than needed */
    assert_int_equal(parse_with(1, 0), MESSAGE_MALFORMED);
    assert_int_equal(parse_with(2, 0xFF), MESSAGE_MALFORMED); /* too much data */
    assert_int_equal(parse_with(17, 0), MESSAGE_MALFORMED);   /* no manifest */
    assert_int_equal(parse_with(21, 0), MESSAGE_MALFORMED);   /* no entries */
    assert_int_equal(parse_with(18, 1), MESSAGE_MALFORMED);   /* too many */
    assert_int_equal(parse_with(55, 0), MESSAGE_MALFORMED);   /* no name */
    assert_int_equal(parse_with(57, '/'), MESSAGE_MALFORMED);
    assert_int_equal(parse_with(57, 0), MESSAGE_MALFORMED);
    assert_int_equal(parse_with(60, 1), MESSAGE_MALFORMED); /* more than there is */
    const size_t size = unhex(offer_record, buffer);
    assert_int_equal(parse(offer_record, size - 1, &item), MESSAGE_MALFORMED);
    memset(buffer + RECORD_HEADER_SIZE, 0, UUID_SIZE);
    assert_int_equal(parse(offer_record, size, &item), MESSAGE_MALFORMED);
}

static void test_names_are_one_component(void **state)
{
    (void)state;
    assert_true(file_name_valid(SPAN("a", 1)));
    assert_true(file_name_valid(SPAN("...", 3)));
    assert_false(file_name_valid(SPAN("", 0)));
    assert_false(file_name_valid(SPAN(".", 1)));
    assert_false(file_name_valid(SPAN("..", 2)));
    assert_false(file_name_valid(SPAN("a/b", 3)));
    assert_false(file_name_valid(SPAN("a\0b", 3)));
}

static void test_ends_are_known_ones(void **state)
{
    struct file_end end;
    uint8_t content[FILE_STATE_SIZE] = {1};
    (void)state;
    for (int value = 0; value < 256; value++) {
        content[16] = (uint8_t)value;
        const int r = file_end_parse(SPAN(content, sizeof content), &end);
        assert_int_equal(r == 0, value >= FILE_DONE && value <= FILE_EXPIRED);
    }
    content[16] = FILE_DONE;
    assert_int_equal(file_end_parse(SPAN(content, sizeof content - 1), &end), FILE_ITEM_MALFORMED);
}

static void test_requests_are_read_as_written(void **state)
{
    const struct file_request request = {.offer = {{1, 2, 3}}, .offset = UINT64_C(5) << 40};
    uint8_t bytes[FILE_REQUEST_SIZE];
    struct file_request again;
    (void)state;
    file_request_put(bytes, &request);
    assert_int_equal(file_request_parse(SPAN(bytes, sizeof bytes), &again), 0);
    assert_true(uuid_equal(&again.offer, &request.offer));
    assert_int_equal(again.offset, request.offset);
    bytes[0] = 2;
    assert_int_equal(file_request_parse(SPAN(bytes, sizeof bytes), &again), FILE_ITEM_MALFORMED);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_offer_is_read_and_written),
        cmocka_unit_test(test_a_whole_record_is_written),
        cmocka_unit_test(test_the_root_covers_all_hashes),
        cmocka_unit_test(test_chunks_are_few_and_small),
        cmocka_unit_test(test_what_no_offer_may_be),
        cmocka_unit_test(test_names_are_one_component),
        cmocka_unit_test(test_ends_are_known_ones),
        cmocka_unit_test(test_requests_are_read_as_written),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
