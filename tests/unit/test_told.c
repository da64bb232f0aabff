/* SPDX-License-Identifier: ISC */
/*
 * Tests proto/told: lists of addresses on the wire.
 */
#include "proto/told.h"

#include <string.h>

#include "unit/cmocka_all.h"

static struct address address(const char *text)
{
    struct address parsed;
    assert_int_equal(address_parse(text, &parsed), 0);
    return parsed;
}

static void test_what_is_told_is_heard(void **state)
{
    static const uint8_t expected[] = {2, 1, 1, 0x22, 0x3e, 4,    203,  0,    113, 7, 2,
                                       1, 0, 1, 16,   0x20, 0x01, 0x0d, 0xb8, 0,   0, 0,
                                       0, 0, 0, 0,    0,    0,    0,    0,    9};
    const struct address told[] = {address("203.0.113.7:8766"), address("[2001:db8::9]:1")};
    struct address heard[TOLD_MAX];
    struct bytes body = {0};
    (void)state;
    assert_int_equal(told_append(&body, told, 2), 0);
    assert_int_equal(body.size, sizeof expected);
    assert_memory_equal(body.data, expected, sizeof expected);
    assert_true(told_legal(bytes_span(&body)));
    assert_int_equal(told_parse(bytes_span(&body), heard), 2);
    for (unsigned i = 0; i < 2; i++)
        assert_true(address_equal(&heard[i], &told[i]));
    bytes_deinit(&body);
}

static void test_nothing_is_a_list_too(void **state)
{
    struct address heard[TOLD_MAX];
    struct bytes body = {0};
    (void)state;
    assert_int_equal(told_append(&body, NULL, 0), 0);
    assert_true(told_legal(bytes_span(&body)));
    assert_int_equal(told_parse(bytes_span(&body), heard), 0);
    bytes_deinit(&body);
}

static void test_names_cannot_be_told(void **state)
{
    const struct address name = address("host.example:8766");
    struct bytes body = {0};
    (void)state;
    assert_true(told_append(&body, &name, 1) < 0);
    bytes_deinit(&body);
}

/* One entry, with a value of zeros, or of letters for a name. */
static struct span entry(uint8_t kind, uint16_t port, uint8_t size)
{
    static uint8_t body[TOLD_BODY_MAX];
    memset(body, kind == 3 ? 'a' : 0, sizeof body);
    body[0] = 1;
    body[1] = kind;
    body[2] = 9; /* a source nobody knows */
    put_u16(body + 3, port);
    body[5] = size;
    return SPAN(body, 6u + size);
}

static void test_known_kinds_have_their_sizes(void **state)
{
    (void)state;
    for (unsigned size = 0; size <= TOLD_VALUE_MAX; size++) {
        assert_int_equal(told_legal(entry(1, 1, (uint8_t)size)), size == 4);
        assert_int_equal(told_legal(entry(2, 1, (uint8_t)size)), size == 16);
        assert_int_equal(told_legal(entry(3, 1, (uint8_t)size)), size >= 1 && size <= 253);
        assert_int_equal(told_legal(entry(4, 0, (uint8_t)size)), size == 32);
        assert_false(told_legal(entry(4, 1, (uint8_t)size)));
        assert_true(told_legal(entry(5, 1, (uint8_t)size)));
        assert_true(told_legal(entry(0, 1, (uint8_t)size)));
    }
}

static void test_names_have_letters_digits_hyphens_and_dots(void **state)
{
    (void)state;
    for (unsigned c = 0; c <= 0xff; c++) {
        struct span one = entry(3, 1, 3);
        uint8_t *value = (uint8_t *)one.data + 6;
        value[1] = (uint8_t)c;
        bool legal = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.';
        assert_int_equal(told_legal(one), legal);
    }
}

static void test_what_is_no_ip_address_is_skipped(void **state)
{
    static const uint8_t body[] = {4, 3, 1, 0, 1, 1, 'h', 9, 1, 0, 1, 0, 1,
                                   1, 0, 5, 4, 8, 8, 8,   8, 4, 6, 0, 0, 32};
    uint8_t whole[sizeof body + 32] = {0};
    struct address heard[TOLD_MAX];
    (void)state;
    memcpy(whole, body, sizeof body);
    assert_true(told_legal(SPAN(whole, sizeof whole)));
    assert_int_equal(told_parse(SPAN(whole, sizeof whole), heard), 1);
    assert_string_equal(heard[0].host, "8.8.8.8");
    assert_int_equal(heard[0].port, 5);
}

static void test_a_cut_longer_or_fuller_list_is_malformed(void **state)
{
    struct address many[TOLD_MAX + 1];
    struct bytes body = {0};
    (void)state;
    for (unsigned i = 0; i <= TOLD_MAX; i++)
        many[i] = address("8.8.8.8:1024");
    assert_int_equal(told_append(&body, many, TOLD_MAX), 0);
    assert_true(told_legal(bytes_span(&body)));
    for (size_t size = 0; size < body.size; size++)
        assert_false(told_legal(SPAN(body.data, size)));
    assert_int_equal(bytes_append_u8(&body, 0), 0);
    assert_false(told_legal(bytes_span(&body)));
    bytes_clear(&body);
    assert_int_equal(told_append(&body, many, TOLD_MAX + 1), 0);
    assert_false(told_legal(bytes_span(&body)));
    bytes_deinit(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_told_is_heard),
        cmocka_unit_test(test_nothing_is_a_list_too),
        cmocka_unit_test(test_names_cannot_be_told),
        cmocka_unit_test(test_known_kinds_have_their_sizes),
        cmocka_unit_test(test_names_have_letters_digits_hyphens_and_dots),
        cmocka_unit_test(test_what_is_no_ip_address_is_skipped),
        cmocka_unit_test(test_a_cut_longer_or_fuller_list_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
