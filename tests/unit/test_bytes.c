/* SPDX-License-Identifier: ISC */
/*
 * Tests base/bytes: growth, byte order, and a reader that cannot be led past its end.
 */
#include "base/bytes.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "unit/cmocka_all.h"

static void test_appends_are_big_endian_and_in_order(void **state)
{
    static const uint8_t expected[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
                                       0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 'a',  'b',  0,    0};
    CLEANUP(bytes_deinit) struct bytes bytes = {0};
    (void)state;
    assert_int_equal(bytes_append_u8(&bytes, 0x01), 0);
    assert_int_equal(bytes_append_u16(&bytes, 0x0203), 0);
    assert_int_equal(bytes_append_u32(&bytes, 0x04050607), 0);
    assert_int_equal(bytes_append_u64(&bytes, UINT64_C(0x08090a0b0c0d0e0f)), 0);
    assert_int_equal(bytes_append(&bytes, "ab", 2), 0);
    assert_int_equal(bytes_append_zeros(&bytes, 2), 0);
    assert_int_equal(bytes.size, sizeof(expected));
    assert_memory_equal(bytes.data, expected, sizeof(expected));
}

static void test_growth_keeps_the_content(void **state)
{
    CLEANUP(bytes_deinit) struct bytes bytes = {0};
    (void)state;
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(bytes_append_u8(&bytes, (uint8_t)(i * 7)), 0);
    assert_int_equal(bytes.size, 100000);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(bytes.data[i], (uint8_t)(i * 7));
}

static void test_reserve_refuses_what_overflows(void **state)
{
    CLEANUP(bytes_deinit) struct bytes bytes = {0};
    (void)state;
    assert_int_equal(bytes_append(&bytes, "abc", 3), 0);
    assert_int_equal(bytes_reserve(&bytes, SIZE_MAX), -ENOMEM);
    assert_int_equal(bytes_reserve(&bytes, SIZE_MAX - 3), -ENOMEM);
    assert_int_equal(bytes_reserve(&bytes, SIZE_MAX / 2), -ENOMEM);
    assert_int_equal(bytes_append_zeros(&bytes, SIZE_MAX - 2), -ENOMEM);
    assert_int_equal(bytes_append(&bytes, "x", SIZE_MAX), -ENOMEM);
    assert_int_equal(bytes.size, 3);
    assert_memory_equal(bytes.data, "abc", 3);
}

static void test_reserved_room_does_not_move(void **state)
{
    CLEANUP(bytes_deinit) struct bytes bytes = {0};
    uint8_t *data;
    (void)state;
    assert_int_equal(bytes_reserve(&bytes, 1000), 0);
    assert_int_equal(bytes.size, 0);
    data = bytes.data;
    assert_int_equal(bytes_append_zeros(&bytes, 1000), 0);
    assert_ptr_equal(bytes.data, data);
}

static void test_nothing_may_be_appended(void **state)
{
    CLEANUP(bytes_deinit) struct bytes bytes = {0};
    (void)state;
    assert_int_equal(bytes_append(&bytes, NULL, 0), 0);
    assert_int_equal(bytes_append_zeros(&bytes, 0), 0);
    bytes_consume(&bytes, 0);
    assert_null(bytes.data);
}

static void test_consume_takes_from_the_front(void **state)
{
    CLEANUP(bytes_deinit) struct bytes bytes = {0};
    (void)state;
    assert_int_equal(bytes_append(&bytes, "abcdef", 6), 0);
    bytes_consume(&bytes, 2);
    assert_int_equal(bytes_span(&bytes).size, 4);
    assert_memory_equal(bytes_span(&bytes).data, "cdef", 4);
    bytes_consume(&bytes, 4);
    assert_int_equal(bytes.size, 0);
}

static void test_clear_keeps_memory_and_deinit_does_not(void **state)
{
    struct bytes bytes = {0};
    (void)state;
    assert_int_equal(bytes_append(&bytes, "abc", 3), 0);
    bytes_clear(&bytes);
    assert_int_equal(bytes.size, 0);
    assert_true(bytes.capacity >= 3);
    bytes_deinit(&bytes);
    assert_null(bytes.data);
    assert_int_equal(bytes.capacity, 0);
    assert_int_equal(bytes_append(&bytes, "x", 1), 0);
    bytes_deinit(&bytes);
    bytes_deinit(&bytes);
}

static void test_put_and_get_agree(void **state)
{
    uint8_t at[8];
    (void)state;
    put_u16(at, 0xfedc);
    assert_int_equal(get_u16(at), 0xfedc);
    put_u32(at, 0xfedcba98);
    assert_int_equal(get_u32(at), 0xfedcba98);
    put_u64(at, UINT64_C(0xfedcba9876543210));
    assert_true(get_u64(at) == UINT64_C(0xfedcba9876543210));
    assert_int_equal(at[0], 0xfe);
}

static void test_reader_reads_to_the_last_byte(void **state)
{
    static const uint8_t content[] = {1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 'x', 'y', 0, 0};
    struct reader reader = reader_of(SPAN(content, sizeof(content)));
    (void)state;
    assert_int_equal(reader_u8(&reader), 1);
    assert_int_equal(reader_u16(&reader), 2);
    assert_int_equal(reader_u32(&reader), 3);
    assert_int_equal(reader_u64(&reader), 4);
    assert_ptr_equal(reader_take(&reader, 2), content + 15);
    assert_true(reader_zeros(&reader, 2));
    assert_int_equal(reader.left, 0);
    assert_non_null(reader_take(&reader, 0));
    assert_false(reader.failed);
}

static void test_reader_fails_once_and_for_all(void **state)
{
    static const uint8_t content[] = {1, 2, 3};
    struct reader reader = reader_of(SPAN(content, sizeof(content)));
    (void)state;
    assert_int_equal(reader_u32(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(reader.left, 0);
    assert_int_equal(reader_u8(&reader), 0);
    assert_int_equal(reader_u16(&reader), 0);
    assert_int_equal(reader_u64(&reader), 0);
    assert_null(reader_take(&reader, 1));
    assert_null(reader_take(&reader, 0));
    assert_false(reader_zeros(&reader, 0));
}

static void test_reader_refuses_huge_sizes(void **state)
{
    static const uint8_t content[] = {0, 0};
    struct reader reader = reader_of(SPAN(content, sizeof(content)));
    (void)state;
    assert_null(reader_take(&reader, SIZE_MAX));
    assert_true(reader.failed);
}

static void test_reader_of_nothing(void **state)
{
    struct reader reader = reader_of(SPAN(NULL, 0));
    (void)state;
    assert_true(reader_zeros(&reader, 0));
    assert_false(reader.failed);
    assert_int_equal(reader_u8(&reader), 0);
    assert_true(reader.failed);
}

static void test_zeros_sees_every_bit(void **state)
{
    uint8_t data[9] = {0};
    (void)state;
    assert_true(bytes_all_zero(data, sizeof(data)));
    for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
        struct reader reader = reader_of(SPAN(data, sizeof(data)));
        data[bit / 8] = (uint8_t)(1 << bit % 8);
        assert_false(bytes_all_zero(data, sizeof(data)));
        assert_false(reader_zeros(&reader, sizeof(data)));
        assert_false(reader.failed);
        data[bit / 8] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends_are_big_endian_and_in_order),
        cmocka_unit_test(test_growth_keeps_the_content),
        cmocka_unit_test(test_reserve_refuses_what_overflows),
        cmocka_unit_test(test_reserved_room_does_not_move),
        cmocka_unit_test(test_nothing_may_be_appended),
        cmocka_unit_test(test_consume_takes_from_the_front),
        cmocka_unit_test(test_clear_keeps_memory_and_deinit_does_not),
        cmocka_unit_test(test_put_and_get_agree),
        cmocka_unit_test(test_reader_reads_to_the_last_byte),
        cmocka_unit_test(test_reader_fails_once_and_for_all),
        cmocka_unit_test(test_reader_refuses_huge_sizes),
        cmocka_unit_test(test_reader_of_nothing),
        cmocka_unit_test(test_zeros_sees_every_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
