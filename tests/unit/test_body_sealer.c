/* SPDX-License-Identifier: ISC */
/*
 * Tests core/body_sealer: a body opens where it was sealed, and nowhere else.
 */
#include "core/body_sealer.h"

#include <string.h>

#include "crypto/crypto.h"
#include "unit/cmocka_all.h"

static const struct secret store_key = {{1, 2, 3}};
static const char text[] = "hello";

static struct body_sealer *body_sealer;
static struct bytes sealed;
static struct bytes opened;

static int start(void **state)
{
    (void)state;
    return crypto_init() != 0 || body_sealer_new(&body_sealer, &store_key) != 0;
}

static int finish(void **state)
{
    (void)state;
    body_sealer_free(body_sealer);
    bytes_deinit(&sealed);
    bytes_deinit(&opened);
    crypto_deinit();
    return 0;
}

/* The row that the text was sealed for. */
static struct message_row seal(struct span plain)
{
    struct message_row row = {.peer = 7, .direction = MESSAGE_IN, .id = {{9}}};
    bytes_clear(&sealed);
    bytes_clear(&opened);
    assert_int_equal(body_sealer_seal(body_sealer, &row, plain, &sealed), 0);
    row.body = bytes_span(&sealed);
    return row;
}

static void test_sealed_text_opens(void **state)
{
    struct message_row row = seal(SPAN(text, sizeof text));
    (void)state;
    assert_int_equal(body_sealer_open(body_sealer, &row, &opened), 0);
    assert_int_equal(opened.size, sizeof text);
    assert_memory_equal(opened.data, text, sizeof text);
}

static void test_text_is_appended(void **state)
{
    struct message_row row = seal(SPAN(text, sizeof text));
    (void)state;
    bytes_append(&opened, "before", 6);
    assert_int_equal(body_sealer_open(body_sealer, &row, &opened), 0);
    assert_memory_equal(opened.data, "beforehello", 6 + sizeof text);
}

static void test_sizes_up_to_the_largest_message(void **state)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 65535, 65536};
    static uint8_t plain[65536];
    (void)state;
    memset(plain, 'x', sizeof plain);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct message_row row = seal(SPAN(plain, sizes[i]));
        assert_int_equal(body_sealer_open(body_sealer, &row, &opened), 0);
        assert_int_equal(opened.size, sizes[i]);
        assert_memory_equal(opened.data, plain, sizes[i]);
    }
}

static void test_sealing_twice_gives_different_bodies(void **state)
{
    uint8_t first[sizeof text];
    (void)state;
    seal(SPAN(text, sizeof text));
    memcpy(first, sealed.data + sealed.size - sizeof first, sizeof first);
    seal(SPAN(text, sizeof text));
    assert_memory_not_equal(sealed.data + sealed.size - sizeof first, first, sizeof first);
}

enum { SALT_AT = 1, IV_AT = 17, BODY_AT = 29 };

static void test_bodies_of_a_turn_share_a_key_and_no_iv(void **state)
{
    uint8_t first[BODY_AT];
    (void)state;
    body_sealer_turn(body_sealer);
    seal(SPAN(text, sizeof text));
    memcpy(first, sealed.data, sizeof first);
    seal(SPAN(text, sizeof text));
    assert_memory_equal(sealed.data + SALT_AT, first + SALT_AT, IV_AT - SALT_AT);
    assert_memory_not_equal(sealed.data + IV_AT, first + IV_AT, BODY_AT - IV_AT);
    body_sealer_turn(body_sealer);
    seal(SPAN(text, sizeof text));
    assert_memory_not_equal(sealed.data + SALT_AT, first + SALT_AT, IV_AT - SALT_AT);
}

static void test_bodies_of_many_turns_open_in_any_order(void **state)
{
    enum { TURNS = 12 };
    struct bytes bodies[TURNS] = {0};
    struct message_row row = {0};
    (void)state;
    for (unsigned i = 0; i < TURNS; i++) {
        row = seal(SPAN(text, sizeof text));
        bytes_append(&bodies[i], sealed.data, sealed.size);
        body_sealer_turn(body_sealer);
    }
    for (unsigned i = 0; i < 3 * TURNS; i++) {
        row.body = bytes_span(&bodies[i * 5 % TURNS]);
        bytes_clear(&opened);
        assert_int_equal(body_sealer_open(body_sealer, &row, &opened), 0);
        assert_memory_equal(opened.data, text, sizeof text);
    }
    for (unsigned i = 0; i < TURNS; i++)
        bytes_deinit(&bodies[i]);
}

static void assert_damaged(const struct message_row *row)
{
    bytes_clear(&opened);
    bytes_append(&opened, "kept", 4);
    assert_int_equal(body_sealer_open(body_sealer, row, &opened), BODY_SEALER_DAMAGED);
    assert_int_equal(opened.size, 4);
}

static void test_every_flipped_bit_is_damage(void **state)
{
    struct message_row row = seal(SPAN(text, sizeof text));
    (void)state;
    for (size_t bit = 0; bit < 8 * sealed.size; bit++) {
        sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_damaged(&row);
        sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    bytes_clear(&opened);
    assert_int_equal(body_sealer_open(body_sealer, &row, &opened), 0);
}

static void test_every_missing_end_is_damage(void **state)
{
    struct message_row row = seal(SPAN(text, sizeof text));
    (void)state;
    for (row.body.size = 0; row.body.size < sealed.size; row.body.size++)
        assert_damaged(&row);
}

static void test_body_belongs_to_its_message(void **state)
{
    struct message_row right = seal(SPAN(text, sizeof text));
    struct message_row row = right;
    (void)state;
    row.peer = 8;
    assert_damaged(&row);
    row = right;
    row.direction = MESSAGE_OUT;
    assert_damaged(&row);
    row = right;
    row.id.bytes[15] = 1;
    assert_damaged(&row);
}

static void test_another_store_key_opens_nothing(void **state)
{
    const struct secret other_key = {{1, 2, 4}};
    struct message_row row = seal(SPAN(text, sizeof text));
    struct body_sealer *other;
    (void)state;
    assert_int_equal(body_sealer_new(&other, &other_key), 0);
    assert_int_equal(body_sealer_open(other, &row, &opened), BODY_SEALER_DAMAGED);
    body_sealer_free(other);
}

static void test_a_secret_opens_only_where_it_belongs(void **state)
{
    const uint8_t secret[BODY_SEALER_SECRET_SIZE] = "0123456789abcde";
    const struct span owner = SPAN("owner", 5);
    uint8_t one[BODY_SEALER_SEALED_SIZE], other[BODY_SEALER_SEALED_SIZE];
    uint8_t out[BODY_SEALER_SECRET_SIZE];
    (void)state;
    assert_int_equal(body_sealer_seal_secret(body_sealer, INVITE_GIVEN, owner, secret, one), 0);
    assert_int_equal(body_sealer_seal_secret(body_sealer, INVITE_GIVEN, owner, secret, other), 0);
    assert_memory_not_equal(one, other, sizeof one);
    assert_int_equal(body_sealer_open_secret(body_sealer, INVITE_GIVEN, owner, one, out), 0);
    assert_memory_equal(out, secret, sizeof secret);
    assert_int_equal(body_sealer_open_secret(body_sealer, INVITE_TAKEN, owner, one, out),
                     BODY_SEALER_DAMAGED);
    assert_int_equal(body_sealer_open_secret(body_sealer, INVITE_GIVEN, SPAN("other", 5), one, out),
                     BODY_SEALER_DAMAGED);
    for (size_t i = 0; i < sizeof one; i++) {
        one[i] ^= 1;
        assert_int_equal(body_sealer_open_secret(body_sealer, INVITE_GIVEN, owner, one, out),
                         BODY_SEALER_DAMAGED);
        one[i] ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sealed_text_opens),
        cmocka_unit_test(test_text_is_appended),
        cmocka_unit_test(test_sizes_up_to_the_largest_message),
        cmocka_unit_test(test_sealing_twice_gives_different_bodies),
        cmocka_unit_test(test_bodies_of_a_turn_share_a_key_and_no_iv),
        cmocka_unit_test(test_bodies_of_many_turns_open_in_any_order),
        cmocka_unit_test(test_every_flipped_bit_is_damage),
        cmocka_unit_test(test_every_missing_end_is_damage),
        cmocka_unit_test(test_body_belongs_to_its_message),
        cmocka_unit_test(test_another_store_key_opens_nothing),
        cmocka_unit_test(test_a_secret_opens_only_where_it_belongs),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
