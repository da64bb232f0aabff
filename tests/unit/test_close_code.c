/* SPDX-License-Identifier: ISC */
/*
 * Close codes: the numbers on the wire and their names.
 */
#include <string.h>

#include "proto/close_code.h"
#include "unit/cmocka_all.h"

static const uint8_t known[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x10, 0x11, 0x14,
                                0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d};

static int is_known(unsigned value)
{
    return memchr(known, (int)value, sizeof(known)) != NULL;
}

static void test_every_unknown_code_counts_as_protocol_error(void **state)
{
    (void)state;
    for (unsigned value = 0; value <= 0xff; value++)
        assert_int_equal(close_code_from_wire((uint8_t)value),
                         is_known(value) ? value : CLOSE_PROTOCOL_ERROR);
}

static void test_every_code_has_its_own_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(known); i++) {
        const char *name = close_code_name((enum close_code)known[i]);
        assert_true(strlen(name) > 0);
        assert_string_not_equal(name, "unknown");
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(name, close_code_name((enum close_code)known[j]));
    }
    assert_string_equal(close_code_name((enum close_code)0x7f), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_unknown_code_counts_as_protocol_error),
        cmocka_unit_test(test_every_code_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
