/* SPDX-License-Identifier: ISC */
/*
 * Frame headers: which type and length may come in when something is waited for.
 */
#include "proto/frame.h"
#include "unit/cmocka_all.h"

static bool accepts(enum frame_type type, uint32_t length)
{
    return frame_acceptable((struct frame_header){length, (uint8_t)type}, type, 0);
}

static void test_header_survives_the_wire(void **state)
{
    const uint8_t expected[FRAME_HEADER_SIZE] = {0x01, 0x02, 0x03, 0x04, 0x10};
    uint8_t wire[FRAME_HEADER_SIZE];
    struct frame_header header;
    (void)state;
    frame_header_put(wire, (struct frame_header){0x01020304, FRAME_PACKET});
    assert_memory_equal(wire, expected, sizeof(wire));
    header = frame_header_get(wire);
    assert_int_equal(header.length, 0x01020304);
    assert_int_equal(header.type, FRAME_PACKET);
}

static void test_handshake_frames_have_one_length_each(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < 4096; length++) {
        assert_int_equal(accepts(FRAME_IDENT, length), length == 1168);
        assert_int_equal(accepts(FRAME_KEY, length), length == 1680);
        assert_int_equal(accepts(FRAME_CONFIRM_J, length), length == 81);
        assert_int_equal(accepts(FRAME_CONFIRM_H, length), length == 81);
    }
}

static void test_hellos_grow_by_extensions_and_a_second_exchange(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < 4096; length++) {
        bool plain = length >= 80 && length <= 592;
        assert_int_equal(accepts(FRAME_HELLO_J, length),
                         plain || (length >= 1264 && length <= 1776));
        assert_int_equal(accepts(FRAME_HELLO_H, length),
                         plain || (length >= 1168 && length <= 1680));
    }
    assert_false(accepts(FRAME_HELLO_J, UINT32_MAX));
    assert_false(accepts(FRAME_HELLO_H, UINT32_MAX));
}

static void test_packets_hold_a_power_of_two(void **state)
{
    unsigned legal = 0;
    (void)state;
    for (uint32_t length = 0; length < 300000; length++)
        legal += accepts(FRAME_PACKET, length);
    assert_int_equal(legal, 8);
    for (uint32_t payload = 1024; payload <= 131072; payload *= 2)
        assert_true(accepts(FRAME_PACKET, payload + 32));
    assert_false(accepts(FRAME_PACKET, UINT32_MAX));
    assert_false(accepts(FRAME_PACKET, 31));
}

static void test_alerts_have_the_length_of_their_moment(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < 64; length++) {
        struct frame_header alert = {length, FRAME_ALERT};
        assert_false(frame_acceptable(alert, FRAME_IDENT, 0));
        assert_int_equal(frame_acceptable(alert, FRAME_HELLO_H, 1), length == 1);
        assert_int_equal(frame_acceptable(alert, FRAME_KEY, 17), length == 17);
    }
}

static void test_other_types_than_the_expected_are_refused(void **state)
{
    (void)state;
    for (unsigned type = 0; type <= 0xff; type++) {
        struct frame_header header = {81, (uint8_t)type};
        assert_int_equal(frame_acceptable(header, FRAME_CONFIRM_J, 17), type == FRAME_CONFIRM_J);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_survives_the_wire),
        cmocka_unit_test(test_handshake_frames_have_one_length_each),
        cmocka_unit_test(test_hellos_grow_by_extensions_and_a_second_exchange),
        cmocka_unit_test(test_packets_hold_a_power_of_two),
        cmocka_unit_test(test_alerts_have_the_length_of_their_moment),
        cmocka_unit_test(test_other_types_than_the_expected_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
