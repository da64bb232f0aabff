/* SPDX-License-Identifier: ISC */
/*
 * Tests net/pcp_packet: datagrams byte for byte, as RFC 6887 and RFC 6886 draw them, and answers
 * that are cut, or of something else.
 */
#include "net/pcp_packet.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "unit/cmocka_all.h"
#include "unit/hex.h"

static const struct pcp_wish wish = {
    .client = {[10] = 0xff, [11] = 0xff, 192, 168, 77, 2},
    .nonce = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
    .port = 8766,
    .external_port = 8767,
    .external = {[10] = 0xff, [11] = 0xff, 11, 22, 33, 7},
    .lifetime_s = 3600,
};

/* Spaces only part the fields. */
static struct bytes bytes_of(const char *spaced)
{
    struct bytes bytes = {0};
    char hex[2 * 128 + 1] = "";
    for (size_t size = 0; *spaced != '\0'; spaced++)
        if (*spaced != ' ')
            hex[size++] = *spaced;
    assert_int_equal(bytes_append_zeros(&bytes, strlen(hex) / 2), 0);
    unhex(hex, bytes.data);
    return bytes;
}

static void assert_bytes(const uint8_t *data, size_t size, const char *hex)
{
    struct bytes wanted = bytes_of(hex);
    assert_int_equal(size, wanted.size);
    assert_memory_equal(data, wanted.data, size);
    bytes_deinit(&wanted);
}

/* --- requests --------------------------------------------------------------------------------- */

static void test_a_mapping_is_asked_for_as_rfc_6887_draws_it(void **state)
{
    uint8_t out[PCP_REQUEST_MAX];
    (void)state;
    assert_bytes(out, pcp_write_map(&wish, out),
                 "02010000 00000e10 00000000000000000000ffffc0a84d02"
                 "0102030405060708090a0b0c 06000000 223e 223f 00000000000000000000ffff0b162107");
}

static void test_nat_pmp_is_asked_as_rfc_6886_draws_it(void **state)
{
    uint8_t out[PCP_REQUEST_MAX];
    (void)state;
    assert_bytes(out, pcp_write_natpmp_address(out), "0000");
    assert_bytes(out, pcp_write_natpmp_map(&wish, out), "00020000 223e 223f 00000e10");
}

/* --- answers ---------------------------------------------------------------------------------- */

#define MAP_ANSWER                                                         \
    "02810000 00000708 0000002a 000000000000000000000000"                  \
    "0102030405060708090a0b0c 06000000 223e 223f 00000000000000000000ffff" \
    "0b162107"

static bool read_hex(const char *hex, struct pcp_answer *answer)
{
    struct bytes bytes = bytes_of(hex);
    bool read = pcp_read(bytes.data, bytes.size, answer);
    bytes_deinit(&bytes);
    return read;
}

static void test_a_mapping_is_read(void **state)
{
    struct pcp_answer answer;
    (void)state;
    assert_true(read_hex(MAP_ANSWER, &answer));
    assert_int_equal(answer.kind, PCP_MAP);
    assert_int_equal(answer.result, PCP_SUCCESS);
    assert_int_equal(answer.lifetime_s, 1800);
    assert_int_equal(answer.epoch_s, 42);
    assert_memory_equal(answer.nonce, wish.nonce, PCP_NONCE_SIZE);
    assert_int_equal(answer.port, 8766);
    assert_int_equal(answer.external_port, 8767);
    assert_memory_equal(answer.external, wish.external, 16);
    assert_true(read_hex(MAP_ANSWER "00000000", &answer)); /* with an option */
}

static void test_nat_pmp_answers_are_read(void **state)
{
    struct pcp_answer answer;
    (void)state;
    assert_true(read_hex("00800000 0000002a 0b162107", &answer));
    assert_int_equal(answer.kind, PCP_NATPMP_ADDRESS);
    assert_memory_equal(answer.external, wish.external, 16);
    assert_true(read_hex("00820000 0000002a 223e 223f 00000708", &answer));
    assert_int_equal(answer.kind, PCP_NATPMP_MAP);
    assert_int_equal(answer.lifetime_s, 1800);
    assert_int_equal(answer.external_port, 8767);
}

static void test_refusals_have_the_numbers_of_pcp(void **state)
{
    struct pcp_answer answer;
    (void)state;
    assert_true(read_hex("00820003 0000002a", &answer));
    assert_int_equal(answer.kind, PCP_NATPMP_REFUSAL);
    assert_int_equal(answer.result, PCP_NETWORK_FAILURE);
    assert_true(read_hex("00820004 0000002a", &answer));
    assert_int_equal(answer.result, PCP_NO_RESOURCES);
    /* A server of another version repeats what it was sent, of which it reads the header. */
    assert_true(read_hex("02810001 00000000 0000002a 000000000000000000000000", &answer));
    assert_int_equal(answer.kind, PCP_REFUSAL);
}

static void test_what_is_cut_or_of_something_else_is_no_answer(void **state)
{
    struct bytes whole = bytes_of(MAP_ANSWER);
    struct pcp_answer answer;
    (void)state;
    for (size_t size = 0; size < whole.size; size++) {
        uint8_t *cut = malloc(size + (size == 0)); /* so that a sanitizer sees reads behind it */
        assert_non_null(cut);
        if (size > 0)
            memcpy(cut, whole.data, size);
        assert_false(pcp_read(cut, size, &answer));
        free(cut);
    }
    whole.data[1] = 0x01; /* a request */
    assert_false(pcp_read(whole.data, whole.size, &answer));
    whole.data[1] = 0x82; /* PEER */
    assert_false(pcp_read(whole.data, whole.size, &answer));
    whole.data[1] = 0x81;
    whole.data[0] = 3;
    assert_false(pcp_read(whole.data, whole.size, &answer));
    whole.data[0] = 2;
    whole.data[36] = 17; /* UDP */
    assert_false(pcp_read(whole.data, whole.size, &answer));
    bytes_deinit(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mapping_is_asked_for_as_rfc_6887_draws_it),
        cmocka_unit_test(test_nat_pmp_is_asked_as_rfc_6886_draws_it),
        cmocka_unit_test(test_a_mapping_is_read),
        cmocka_unit_test(test_nat_pmp_answers_are_read),
        cmocka_unit_test(test_refusals_have_the_numbers_of_pcp),
        cmocka_unit_test(test_what_is_cut_or_of_something_else_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
