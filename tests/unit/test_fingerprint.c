/* SPDX-License-Identifier: ISC */
/*
 * Tests base/fingerprint: one text for one fingerprint.
 */
#include "base/fingerprint.h"

#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"

static void test_text_is_that_of_ssh_keygen(void **state)
{
    struct fingerprint fingerprint;
    struct fingerprint back;
    char text[FINGERPRINT_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < FINGERPRINT_SIZE; i++)
        fingerprint.bytes[i] = (uint8_t)(0xff - i);
    fingerprint_format(&fingerprint, text);
    assert_string_equal(text, "SHA256://79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA");
    assert_int_equal(fingerprint_parse(text, &back), 0);
    assert_true(fingerprint_equal(&fingerprint, &back));
}

static void test_parse_takes_no_other_form(void **state)
{
    static const char *const cases[] = {
        "",
        "SHA256:",
        "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA",
        "sha256://79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA",
        "MD5://79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA",
        "SHA256://79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=",
        "SHA256://79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4e",
        "SHA256://79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eAA",
        "SHA256://79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eB",
        "SHA256:__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA",
        " SHA256://79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA",
        "SHA256://79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA\n",
    };
    struct fingerprint fingerprint;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (fingerprint_parse(cases[i], &fingerprint) != -EINVAL)
            fail_msg("accepted \"%s\"", cases[i]);
    }
}

static void test_order_is_that_of_unsigned_bytes(void **state)
{
    struct fingerprint low = {{0x7f, [31] = 0xff}};
    struct fingerprint high = {{0x80}};
    struct fingerprint last = {{0x80, [31] = 1}};
    (void)state;
    assert_true(fingerprint_compare(&low, &high) < 0);
    assert_true(fingerprint_compare(&high, &low) > 0);
    assert_true(fingerprint_compare(&high, &last) < 0);
    assert_int_equal(fingerprint_compare(&low, &low), 0);
    assert_false(fingerprint_equal(&high, &last));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_that_of_ssh_keygen),
        cmocka_unit_test(test_parse_takes_no_other_form),
        cmocka_unit_test(test_order_is_that_of_unsigned_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
