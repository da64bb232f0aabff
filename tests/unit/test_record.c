/* SPDX-License-Identifier: ISC */
/*
 * Records and messages: encoding, walking and what is judged before anything has an effect.
 */
#include <string.h>

#include "proto/features.h"
#include "proto/message.h"
#include "proto/record_check.h"
#include "unit/cmocka_all.h"

static struct bytes records;

static int clear(void **state)
{
    (void)state;
    bytes_deinit(&records);
    return 0;
}

static void test_records_are_walked_to_the_exact_end(void **state)
{
    struct reader reader;
    struct record record;
    (void)state;
    assert_int_equal(record_append(&records, RECORD_APPROVE, SPAN("", 0)), 0);
    assert_int_equal(record_append(&records, RECORD_PING, SPAN("12345678", 8)), 0);
    reader = reader_of(bytes_span(&records));
    assert_true(record_next(&reader, &record));
    assert_int_equal(record.type, RECORD_APPROVE);
    assert_int_equal(record.body.size, 0);
    assert_int_equal(record.whole.size, RECORD_HEADER_SIZE);
    assert_true(record_next(&reader, &record));
    assert_int_equal(record.type, RECORD_PING);
    assert_memory_equal(record.body.data, "12345678", 8);
    assert_ptr_equal(record.whole.data + RECORD_HEADER_SIZE, record.body.data);
    assert_false(record_next(&reader, &record));
    assert_false(reader.failed);
}

static void test_every_truncation_is_malformed(void **state)
{
    (void)state;
    assert_int_equal(record_append(&records, RECORD_PING, SPAN("12345678", 8)), 0);
    assert_int_equal(record_append(&records, RECORD_PONG, SPAN("12345678", 8)), 0);
    for (size_t size = 1; size <= records.size; size++)
        assert_int_equal(record_check(SPAN(records.data, size), SESSION_HOST, SUITE_CLASSIC, 0),
                         size == 13 || size == 26 ? 0 : RECORD_MALFORMED);
}

static void test_every_type_is_known_optional_or_unsupported(void **state)
{
    (void)state;
    for (unsigned type = 0; type <= 0xff; type++) {
        int expected = type >= RECORD_OPTIONAL ? 0 : RECORD_UNSUPPORTED;
        bytes_clear(&records);
        assert_int_equal(record_append(&records, (enum record_type)type, SPAN("123", 3)), 0);
        if ((type >= RECORD_PING && type <= RECORD_REKEY_DONE) || type == RECORD_INSTANCE ||
            type == RECORD_CLONED || type == RECORD_ADDRESSES)
            expected = RECORD_MALFORMED;
        if (type == RECORD_MESSAGE)
            expected = RECORD_BAD_ITEM;
        assert_int_equal(record_check(bytes_span(&records), SESSION_HOST, SUITE_CLASSIC, 0),
                         expected);
        assert_int_equal(record_check(bytes_span(&records), SESSION_JOINER, SUITE_CLASSIC, 0),
                         expected);
    }
}

static void test_shares_have_the_size_of_their_suite(void **state)
{
    static const struct {
        enum record_type type;
        enum session_role sender;
        enum suite suite;
        size_t size;
    } shares[] = {
        {RECORD_REKEY_INIT, SESSION_HOST, SUITE_CLASSIC, 32},
        {RECORD_REKEY_INIT, SESSION_HOST, SUITE_HYBRID, 1216},
        {RECORD_REKEY_RESP, SESSION_JOINER, SUITE_CLASSIC, 32},
        {RECORD_REKEY_RESP, SESSION_JOINER, SUITE_HYBRID, 1120},
    };
    static const uint8_t share[1300];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(shares); i++) {
        for (size_t size = 0; size <= sizeof(share); size++) {
            bytes_clear(&records);
            assert_int_equal(record_append(&records, shares[i].type, SPAN(share, size)), 0);
            assert_int_equal(
                record_check(bytes_span(&records), shares[i].sender, shares[i].suite, 0),
                size == shares[i].size ? 0 : RECORD_MALFORMED);
        }
    }
}

static void test_message_survives_the_wire(void **state)
{
    const struct session_item item = {
        .id = {{1, 2, 3}},
        .previous = {{4, 5, 6}},
        .time_ms = UINT64_MAX,
        .content = SPAN("gr\xc3\xbc\xc3\x9f dich\n", 11),
    };
    struct session_item read;
    (void)state;
    assert_int_equal(message_append(&records, &item), 0);
    assert_int_equal(records.size, RECORD_HEADER_SIZE + MESSAGE_PREFIX_SIZE + 11);
    assert_int_equal(record_check(bytes_span(&records), SESSION_JOINER, SUITE_CLASSIC, 0), 0);
    assert_int_equal(
        message_parse(SPAN(records.data + RECORD_HEADER_SIZE, records.size - RECORD_HEADER_SIZE), 0,
                      &read),
        0);
    assert_true(uuid_equal(&read.id, &item.id));
    assert_true(uuid_equal(&read.previous, &item.previous));
    assert_true(read.time_ms == UINT64_MAX);
    assert_int_equal(read.content.size, 11);
    assert_memory_equal(read.content.data, item.content.data, 11);
}

static void test_message_shorter_than_one_character_is_malformed(void **state)
{
    uint8_t body[MESSAGE_PREFIX_SIZE + 1] = {1};
    struct session_item read;
    (void)state;
    body[MESSAGE_PREFIX_SIZE] = 'x';
    for (size_t size = 0; size <= sizeof(body); size++)
        assert_int_equal(message_parse(SPAN(body, size), 0, &read),
                         size == sizeof(body) ? 0 : MESSAGE_MALFORMED);
}

static void test_headers_need_their_feature(void **state)
{
    static const char content[] = "\0\4\x02\0\1t\0\xff";
    const struct session_item item = {
        .id = {{1}}, .kind = SESSION_HEADERS, .content = SPAN(content, sizeof content - 1)};
    const uint32_t features = FEATURE_HEADERS;
    struct session_item read;
    (void)state;
    assert_int_equal(message_append(&records, &item), 0);
    const struct span all = bytes_span(&records);
    const struct span body = SPAN(all.data + RECORD_HEADER_SIZE, all.size - RECORD_HEADER_SIZE);
    assert_int_equal(record_check(all, SESSION_JOINER, SUITE_CLASSIC, 0), RECORD_BAD_ITEM);
    assert_int_equal(record_check(all, SESSION_JOINER, SUITE_CLASSIC, features), 0);
    assert_int_equal(message_parse(body, features, &read), 0);
    assert_int_equal(read.kind, SESSION_HEADERS);
    assert_int_equal(read.content.size, sizeof content - 1);
    assert_memory_equal(read.content.data, content, sizeof content - 1);
    records.data[RECORD_HEADER_SIZE + 40] = 2; /* of a kind that is not known */
    assert_int_equal(record_check(all, SESSION_JOINER, SUITE_CLASSIC, features), RECORD_BAD_ITEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_records_are_walked_to_the_exact_end, clear),
        cmocka_unit_test_teardown(test_every_truncation_is_malformed, clear),
        cmocka_unit_test_teardown(test_every_type_is_known_optional_or_unsupported, clear),
        cmocka_unit_test_teardown(test_shares_have_the_size_of_their_suite, clear),
        cmocka_unit_test_teardown(test_message_survives_the_wire, clear),
        cmocka_unit_test_teardown(test_message_shorter_than_one_character_is_malformed, clear),
        cmocka_unit_test_teardown(test_headers_need_their_feature, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
