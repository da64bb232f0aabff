/* SPDX-License-Identifier: ISC */
/*
 * HELLO bodies: what we send we can read, and nothing shorter, longer or the other way round.
 */
#include <string.h>

#include "proto/hello.h"
#include "unit/cmocka_all.h"

static const struct hello sample = {.random = {1, 2, 3}, .x25519 = {9, 8, 7}};

static void test_both_hellos_survive_the_wire(void **state)
{
    uint8_t body[HELLO_SIZE_PLAIN];
    struct hello read = {{0}, {0}};
    (void)state;
    hello_joiner_encode(&sample, body);
    assert_int_equal(hello_joiner_parse(SPAN(body, sizeof(body)), &read), 0);
    assert_memory_equal(&read, &sample, sizeof(read));
    memset(&read, 0, sizeof(read));
    hello_host_encode(&sample, body);
    assert_int_equal(hello_host_parse(SPAN(body, sizeof(body)), &read), 0);
    assert_memory_equal(&read, &sample, sizeof(read));
}

static void test_hellos_do_not_stand_for_each_other(void **state)
{
    uint8_t body[HELLO_SIZE_PLAIN];
    struct hello read;
    (void)state;
    hello_joiner_encode(&sample, body);
    assert_int_equal(hello_host_parse(SPAN(body, sizeof(body)), &read), HELLO_MALFORMED);
    hello_host_encode(&sample, body);
    assert_int_equal(hello_joiner_parse(SPAN(body, sizeof(body)), &read), HELLO_MALFORMED);
}

static void test_every_truncation_is_malformed(void **state)
{
    uint8_t body[HELLO_SIZE_PLAIN + 1] = {0};
    struct hello read;
    (void)state;
    hello_joiner_encode(&sample, body);
    for (size_t size = 0; size <= sizeof(body); size++)
        assert_int_equal(hello_joiner_parse(SPAN(body, size), &read),
                         size == HELLO_SIZE_PLAIN ? 0 : HELLO_MALFORMED);
    hello_host_encode(&sample, body);
    for (size_t size = 0; size <= sizeof(body); size++)
        assert_int_equal(hello_host_parse(SPAN(body, size), &read),
                         size == HELLO_SIZE_PLAIN ? 0 : HELLO_MALFORMED);
}

static void test_first_ten_bytes_are_enough_to_be_unsupported(void **state)
{
    uint8_t body[HELLO_SIZE_PLAIN] = {0};
    struct hello read;
    (void)state;
    hello_joiner_encode(&sample, body);
    memset(body + 10, 0xff, sizeof(body) - 10);
    body[8] = 2;
    body[9] = 3;
    assert_int_equal(hello_joiner_parse(SPAN(body, sizeof(body)), &read), HELLO_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_hellos_survive_the_wire),
        cmocka_unit_test(test_hellos_do_not_stand_for_each_other),
        cmocka_unit_test(test_every_truncation_is_malformed),
        cmocka_unit_test(test_first_ten_bytes_are_enough_to_be_unsupported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
