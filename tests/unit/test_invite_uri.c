/* SPDX-License-Identifier: ISC */
/*
 * Invites as text: what is written is read, and anything else is told.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "proto/invite_uri.h"
#include "unit/cmocka_all.h"

#define FRAGMENT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"

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

static struct invite_uri make_invite(void)
{
    struct invite_uri invite = {.address_count = 2, .name = "al ice/\xc3\xa9"};
    snprintf(invite.addresses[0].host, ADDRESS_HOST_MAX, "192.0.2.1");
    invite.addresses[0].port = 8766;
    snprintf(invite.addresses[1].host, ADDRESS_HOST_MAX, "2001:db8::1");
    invite.addresses[1].port = 1;
    for (uint8_t i = 0; i < FINGERPRINT_SIZE; i++)
        invite.inviter.bytes[i] = i;
    for (uint8_t i = 0; i < INVITE_SECRET_SIZE; i++)
        invite.secret[i] = (uint8_t)(FINGERPRINT_SIZE + i);
    return invite;
}

static void test_what_is_written_is_read(void **state)
{
    static const char expected[] =
        "p2pchat://192.0.2.1:8766,[2001:db8::1]:1/al%20ice%2f%c3%a9#" FRAGMENT "riUY";
    const struct invite_uri invite = make_invite();
    struct bytes text = {0};
    struct invite_uri again;
    const char *complaint;
    (void)state;
    assert_int_equal(invite_uri_format(&invite, &text), 0);
    assert_int_equal(text.size, sizeof expected - 1);
    assert_memory_equal(text.data, expected, text.size);
    assert_int_equal(invite_uri_parse(expected, &again, &complaint), 0);
    assert_null(complaint);
    assert_int_equal(again.address_count, 2);
    assert_string_equal(again.addresses[1].host, "2001:db8::1");
    assert_int_equal(again.addresses[1].port, 1);
    assert_string_equal(again.name, invite.name);
    assert_memory_equal(again.inviter.bytes, invite.inviter.bytes, FINGERPRINT_SIZE);
    assert_memory_equal(again.secret, invite.secret, INVITE_SECRET_SIZE);
    bytes_deinit(&text);
}

/* Each character, one at a time, by another one. */
static void test_a_typo_is_found_wherever_it_is(void **state)
{
    const struct invite_uri invite = make_invite();
    CLEANUP(bytes_deinit) struct bytes text = {0};
    (void)state;
    assert_int_equal(invite_uri_format(&invite, &text), 0);
    assert_int_equal(bytes_append_u8(&text, '\0'), 0);
    for (size_t i = strlen("p2pchat://"); i + 1 < text.size; i++) {
        const uint8_t right = text.data[i];
        struct invite_uri again;
        const char *complaint = NULL;
        text.data[i] = right == '8' ? '9' : '8';
        if (invite_uri_parse((const char *)text.data, &again, &complaint) == 0)
            fail_msg("taken: %s", (const char *)text.data);
        if (right != '#')
            assert_string_equal(complaint, "it has a typo: copy it again");
        text.data[i] = right;
    }
}

static void test_a_name_and_a_port_may_be_missing(void **state)
{
    static const char *const texts[] = {"p2pchat://a.example#" FRAGMENT,
                                        "p2pchat://a.example/#" FRAGMENT};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct invite_uri invite;
        const char *complaint;
        assert_int_equal(invite_uri_parse(texts[i], &invite, &complaint), 0);
        assert_string_equal(invite.addresses[0].host, "a.example");
        assert_int_equal(invite.addresses[0].port, ADDRESS_PORT_DEFAULT);
        assert_string_equal(invite.name, "");
    }
}

/* A blank before or behind it, an empty line, a line that was wrapped by whoever carried it. */
static void test_white_space_means_nothing(void **state)
{
    static const char *const texts[] = {
        " p2pchat://a.example/bob#" FRAGMENT,         "p2pchat://a.example/bob#" FRAGMENT " ",
        "\n\r\np2pchat://a.example/bob#" FRAGMENT,    "p2pchat://a.ex\r\nample/bob#" FRAGMENT "\n",
        "p2pchat://a.example/bob#\n  " FRAGMENT "\t", "p2pchat:// a.example / bob # " FRAGMENT,
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct invite_uri invite;
        const char *complaint;
        if (invite_uri_parse(texts[i], &invite, &complaint) != 0)
            fail_msg("\"%s\": %s", texts[i], complaint);
        assert_string_equal(invite.addresses[0].host, "a.example");
        assert_string_equal(invite.name, "bob");
    }
}

static void test_anything_else_is_told(void **state)
{
    static const char *const texts[] = {
        "",
        "p2pchat://",
        "p2pchat://a",
        "p2pchat://a/b",
        "p2pchat:/a#" FRAGMENT,
        "P2PCHAT://a#" FRAGMENT,
        "p2pchat://#" FRAGMENT,
        "p2pchat:///name#" FRAGMENT,
        "p2pchat://,a#" FRAGMENT,
        "p2pchat://a,,b#" FRAGMENT,
        "p2pchat://a:0#" FRAGMENT,
        "p2pchat://a:70000#" FRAGMENT,
        "p2pchat://a/b?utm_source=mail#" FRAGMENT,
        "p2pchat://a?b#" FRAGMENT,
        "p2pchat://1,2,3,4,5,6,7,8,9#" FRAGMENT,
        "p2pchat://a/%#" FRAGMENT,
        "p2pchat://a/%4#" FRAGMENT,
        "p2pchat://a/%zz#" FRAGMENT,
        "p2pchat://a/%00#" FRAGMENT,
        "p2pchat://a#",
        "p2pchat://a#x" FRAGMENT,
        "p2pchat://a##" FRAGMENT,
        "p2pchat://a#" FRAGMENT "=",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct invite_uri invite;
        const char *complaint = NULL;
        if (invite_uri_parse(texts[i], &invite, &complaint) == 0)
            fail_msg("taken: %s", texts[i]);
        assert_non_null(complaint);
    }
}

static void test_every_character_of_the_secret_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof FRAGMENT - 1; i++) {
        char text[] = "p2pchat://a#" FRAGMENT;
        struct invite_uri invite;
        const char *complaint;
        text[sizeof "p2pchat://a#" - 1 + i] = '+'; /* of the other alphabet */
        assert_int_not_equal(invite_uri_parse(text, &invite, &complaint), 0);
    }
}

/* Parses an invite that suggests a name of so many characters. */
static int parse_long_name(const char *character, unsigned count, const char **complaint)
{
    static struct invite_uri invite;
    struct bytes text = {0};
    assert_int_equal(bytes_append(&text, "p2pchat://a/", sizeof "p2pchat://a/" - 1), 0);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(bytes_append(&text, character, strlen(character)), 0);
    assert_int_equal(bytes_append(&text, "#" FRAGMENT, sizeof "#" FRAGMENT), 0);
    int r = invite_uri_parse((const char *)text.data, &invite, complaint);
    bytes_deinit(&text);
    return r;
}

/* The limit counts characters: the longest of UTF-8 are four bytes, each escaped. */
static void test_a_name_that_is_too_long_is_told(void **state)
{
    static const char *const characters[] = {"x", "%C3%BC", "%F0%9F%90%99", "\xc3\xbc"};
    const char *complaint;
    (void)state;
    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        assert_int_equal(parse_long_name(characters[i], 64, &complaint), 0);
        assert_int_equal(parse_long_name(characters[i], 65, &complaint), -EINVAL);
        assert_string_equal(complaint, "the name in it has more than 64 characters");
    }
    /* What is no UTF-8 has no characters, and a bound all the same. */
    assert_int_equal(parse_long_name("%80", INVITE_URI_NAME_MAX - 1, &complaint), 0);
    assert_int_equal(parse_long_name("%80", INVITE_URI_NAME_MAX, &complaint), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_a_typo_is_found_wherever_it_is),
        cmocka_unit_test(test_a_name_and_a_port_may_be_missing),
        cmocka_unit_test(test_white_space_means_nothing),
        cmocka_unit_test(test_anything_else_is_told),
        cmocka_unit_test(test_every_character_of_the_secret_counts),
        cmocka_unit_test(test_a_name_that_is_too_long_is_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
