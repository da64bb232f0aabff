/* SPDX-License-Identifier: ISC */
/*
 * HELLO bodies: what we send we can read, and nothing shorter, longer or the other way round.
 */
#include <string.h>

#include "proto/hello.h"
#include "unit/cmocka_all.h"

static const struct hello sample = {.random = {1, 2, 3}, .share = {9, 8, 7}};

static const unsigned classic = SUITE_BIT(SUITE_CLASSIC), hybrid = SUITE_BIT(SUITE_HYBRID);

static enum suite suite;

/* A share of this size, without zeros. */
static struct hello hello_with_share(size_t size)
{
    struct hello hello = {.random = {1, 2, 3}};
    memset(hello.share, 0x5a, size);
    return hello;
}

static void test_both_hellos_survive_the_wire(void **state)
{
    static const unsigned sets[] = {classic, hybrid, classic | hybrid};
    uint8_t body[HELLO_SIZE_MAX];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        enum suite best = sets[i] & hybrid ? SUITE_HYBRID : SUITE_CLASSIC;
        struct hello sent = hello_with_share(exchange_offer_size(best)), read = {0};
        size_t size = hello_joiner_encode(&sent, sets[i], body);
        assert_int_equal(size, best == SUITE_HYBRID ? 1264 : 80);
        assert_int_equal(hello_joiner_parse(SPAN(body, size), sets[i], &read, &suite), 0);
        assert_int_equal(suite, best);
        assert_memory_equal(&read, &sent, sizeof(read));

        sent = hello_with_share(exchange_answer_size(best));
        memset(&read, 0, sizeof(read));
        size = hello_host_encode(&sent, best, body);
        assert_int_equal(size, best == SUITE_HYBRID ? 1168 : 80);
        assert_int_equal(hello_host_parse(SPAN(body, size), sets[i], &read, &suite), 0);
        assert_int_equal(suite, best);
        assert_memory_equal(&read, &sent, sizeof(read));
    }
}

static void test_names_of_what_is_gone_travel_with_the_offer(void **state)
{
    static const unsigned sets[] = {classic, classic | hybrid};
    uint8_t body[HELLO_SIZE_MAX + GONE_NAME_SIZE];
    struct hello read;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        struct hello sent = hello_with_share(i == 0 ? KEYX_SIZE : EXCHANGE_OFFER_MAX);
        size_t plain = hello_joiner_encode(&sent, sets[i], body);
        memset(sent.gone, 0xc3, GONE_SIZE);
        for (size_t names = 0; names <= GONE_SIZE + GONE_NAME_SIZE; names++) {
            bool legal = names <= GONE_SIZE && names % GONE_NAME_SIZE == 0;
            sent.gone_size = names <= GONE_SIZE ? names : GONE_SIZE;
            size_t size = hello_joiner_encode(&sent, sets[i], body);
            assert_int_equal(size, plain + (names == 0 ? 0 : 4 + sent.gone_size));
            if (names > GONE_SIZE) {
                put_u16(body + plain - 2, (uint16_t)(4 + names));
                put_u16(body + plain + 2, (uint16_t)names);
                size = plain + 4 + names;
            }
            assert_int_equal(hello_joiner_parse(SPAN(body, size), sets[i], &read, &suite),
                             legal ? 0 : HELLO_MALFORMED);
            if (!legal)
                continue;
            assert_int_equal(read.gone_size, names);
            assert_memory_equal(read.gone, sent.gone, names);
        }
        /* Empty is not the same as none. */
        put_u16(body + plain - 2, 4);
        put_u16(body + plain + 2, 0);
        assert_int_equal(hello_joiner_parse(SPAN(body, plain + 4), sets[i], &read, &suite),
                         HELLO_MALFORMED);
    }
}

static void test_highest_suite_in_common_is_chosen(void **state)
{
    static const struct {
        unsigned offered, ours;
        int expected; /* suite, or 0 for none */
    } table[] = {
        {classic, classic, SUITE_CLASSIC},
        {classic, classic | hybrid, SUITE_CLASSIC},
        {classic, hybrid, 0},
        {hybrid, classic, 0},
        {hybrid, classic | hybrid, SUITE_HYBRID},
        {classic | hybrid, classic, SUITE_CLASSIC},
        {classic | hybrid, hybrid, SUITE_HYBRID},
        {classic | hybrid, classic | hybrid, SUITE_HYBRID},
        {classic | 1 << 7, classic, SUITE_CLASSIC},
        {1 << 7, classic | hybrid, 0},
        {0, classic | hybrid, 0},
    };
    uint8_t body[HELLO_SIZE_MAX];
    struct hello read;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        size_t size = hello_joiner_encode(&sample, table[i].offered, body);
        int r = hello_joiner_parse(SPAN(body, size), table[i].ours, &read, &suite);
        assert_int_equal(r, table[i].expected == 0 ? HELLO_UNSUPPORTED : 0);
        if (r == 0)
            assert_int_equal(suite, table[i].expected);
    }
}

static void test_choice_must_be_one_of_the_offer(void **state)
{
    static const enum suite both[] = {SUITE_CLASSIC, SUITE_HYBRID};
    uint8_t body[HELLO_SIZE_MAX];
    struct hello read;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        size_t size = hello_host_encode(&sample, both[i], body);
        assert_int_equal(hello_host_parse(SPAN(body, size), SUITE_BIT(both[1 - i]), &read, &suite),
                         HELLO_MALFORMED);
        put_u16(body + 10, 3);
        assert_int_equal(hello_host_parse(SPAN(body, size), 0xffff, &read, &suite),
                         HELLO_MALFORMED);
        put_u16(body + 10, 0);
        assert_int_equal(hello_host_parse(SPAN(body, size), 0xffff, &read, &suite),
                         HELLO_MALFORMED);
    }
}

static void test_hellos_do_not_stand_for_each_other(void **state)
{
    uint8_t body[HELLO_SIZE_MAX];
    struct hello read;
    (void)state;
    size_t size = hello_joiner_encode(&sample, classic, body);
    assert_int_equal(hello_host_parse(SPAN(body, size), classic, &read, &suite), HELLO_MALFORMED);
    size = hello_host_encode(&sample, SUITE_CLASSIC, body);
    assert_int_equal(hello_joiner_parse(SPAN(body, size), classic, &read, &suite), HELLO_MALFORMED);
}

static void test_every_truncation_is_malformed(void **state)
{
    static const unsigned sets[] = {classic, classic | hybrid};
    uint8_t body[HELLO_SIZE_MAX + 1] = {0};
    struct hello read;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        size_t whole = hello_joiner_encode(&sample, sets[i], body);
        for (size_t size = 0; size <= whole + 1; size++)
            assert_int_equal(hello_joiner_parse(SPAN(body, size), sets[i], &read, &suite),
                             size == whole ? 0 : HELLO_MALFORMED);
        whole = hello_host_encode(&sample, i == 0 ? SUITE_CLASSIC : SUITE_HYBRID, body);
        for (size_t size = 0; size <= whole + 1; size++)
            assert_int_equal(hello_host_parse(SPAN(body, size), sets[i], &read, &suite),
                             size == whole ? 0 : HELLO_MALFORMED);
    }
}

static void test_first_ten_bytes_are_enough_to_be_unsupported(void **state)
{
    uint8_t body[HELLO_SIZE_MAX] = {0};
    struct hello read;
    (void)state;
    hello_joiner_encode(&sample, classic, body);
    memset(body + 10, 0xff, sizeof(body) - 10);
    body[8] = 2;
    body[9] = 3;
    assert_int_equal(hello_joiner_parse(SPAN(body, sizeof(body)), classic, &read, &suite),
                     HELLO_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_hellos_survive_the_wire),
        cmocka_unit_test(test_names_of_what_is_gone_travel_with_the_offer),
        cmocka_unit_test(test_highest_suite_in_common_is_chosen),
        cmocka_unit_test(test_choice_must_be_one_of_the_offer),
        cmocka_unit_test(test_hellos_do_not_stand_for_each_other),
        cmocka_unit_test(test_every_truncation_is_malformed),
        cmocka_unit_test(test_first_ten_bytes_are_enough_to_be_unsupported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
