/* SPDX-License-Identifier: ISC */
/*
 * What people compare: the recorded number, the same from both sides, another one for other keys.
 */
#include <string.h>

#include "crypto/crypto.h"
#include "proto/safety_number.h"
#include "unit/cmocka_all.h"
#include "vectors/vectors.h"

static struct fingerprint recorded(const char *name)
{
    struct fingerprint fingerprint;
    memcpy(fingerprint.bytes, vector(name).data, FINGERPRINT_SIZE);
    return fingerprint;
}

static void test_recorded_identities_give_the_recorded_number(void **state)
{
    struct fingerprint joiner = recorded("joiner_fp"), host = recorded("host_fp");
    uint8_t checksum[CHECKSUM_SIZE];
    char text[SAFETY_NUMBER_TEXT_MAX], qr[SAFETY_NUMBER_QR_MAX];
    (void)state;
    assert_int_equal(checksum_combine(&joiner, &host, checksum), 0);
    assert_memory_equal(checksum, vector("checksum").data, CHECKSUM_SIZE);
    assert_int_equal(safety_number_format(&joiner, &host, text), 0);
    assert_string_equal(text, vector_text("safety_number"));
    assert_int_equal(strlen(text) + 1, SAFETY_NUMBER_TEXT_MAX);
    assert_int_equal(safety_number_qr(&joiner, &host, qr), 0);
    assert_memory_equal(qr, "p2pchat1:", 9);
    assert_string_equal(qr + 9, vector_text("checksum"));
}

static void test_both_sides_see_the_same(void **state)
{
    struct fingerprint joiner = recorded("joiner_fp"), host = recorded("host_fp");
    char text[SAFETY_NUMBER_TEXT_MAX], qr[SAFETY_NUMBER_QR_MAX];
    char other_text[SAFETY_NUMBER_TEXT_MAX], other_qr[SAFETY_NUMBER_QR_MAX];
    (void)state;
    assert_int_equal(safety_number_format(&joiner, &host, text), 0);
    assert_int_equal(safety_number_format(&host, &joiner, other_text), 0);
    assert_string_equal(text, other_text);
    assert_int_equal(safety_number_qr(&joiner, &host, qr), 0);
    assert_int_equal(safety_number_qr(&host, &joiner, other_qr), 0);
    assert_string_equal(qr, other_qr);
}

static void test_the_last_bit_of_either_key_matters(void **state)
{
    struct fingerprint a = {{1, 2, 3}}, b = {{1, 2, 3}}, c = {{1, 2, 3}};
    char ab[SAFETY_NUMBER_TEXT_MAX], ac[SAFETY_NUMBER_TEXT_MAX];
    (void)state;
    b.bytes[31] = 1;
    c.bytes[31] = 2;
    assert_int_equal(safety_number_format(&a, &b, ab), 0);
    assert_int_equal(safety_number_format(&c, &a, ac), 0);
    assert_string_not_equal(ab, ac);
}

static void test_a_number_is_compared_whole(void **state)
{
    static const struct {
        const char *text;
        int outcome;
    } cases[] = {
        {"", SAFETY_NUMBER_MALFORMED},
        {"55325", SAFETY_NUMBER_MALFORMED},
        {"p2pchat1:", SAFETY_NUMBER_MALFORMED},
        {"p2pchat1:00", SAFETY_NUMBER_MALFORMED},
        {"000000000000000000000000000000000000000000000000000000000000", SAFETY_NUMBER_OTHER},
        {"00000000000000000000000000000000000000000000000000000000000", SAFETY_NUMBER_MALFORMED},
        {"0000000000000000000000000000000000000000000000000000000000000", SAFETY_NUMBER_MALFORMED},
        {"00000000000000000000000000000000000000000000000000000000000x", SAFETY_NUMBER_MALFORMED},
    };
    struct fingerprint joiner = recorded("joiner_fp"), host = recorded("host_fp");
    char text[SAFETY_NUMBER_TEXT_MAX], qr[SAFETY_NUMBER_QR_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(safety_number_compare(&joiner, &host, cases[i].text), cases[i].outcome);
    assert_int_equal(safety_number_format(&joiner, &host, text), 0);
    assert_int_equal(safety_number_compare(&host, &joiner, text), 0);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        const char right = text[i];
        if (right == ' ')
            continue;
        text[i] = right == '9' ? '0' : (char)(right + 1);
        assert_int_equal(safety_number_compare(&host, &joiner, text), SAFETY_NUMBER_OTHER);
        text[i] = right;
    }
    assert_int_equal(safety_number_qr(&joiner, &host, qr), 0);
    assert_int_equal(safety_number_compare(&host, &joiner, qr), 0);
    qr[sizeof qr - 2] ^= 1;
    assert_int_equal(safety_number_compare(&host, &joiner, qr), SAFETY_NUMBER_OTHER);
}

static int setup(void **state)
{
    (void)state;
    return crypto_init();
}

static int teardown(void **state)
{
    (void)state;
    crypto_deinit();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_identities_give_the_recorded_number),
        cmocka_unit_test(test_both_sides_see_the_same),
        cmocka_unit_test(test_a_number_is_compared_whole),
        cmocka_unit_test(test_the_last_bit_of_either_key_matters),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
