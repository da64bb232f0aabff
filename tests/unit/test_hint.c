/* SPDX-License-Identifier: ISC */
/*
 * Tests base/hint: which commands name the socket.
 */
#include "base/hint.h"

#include "unit/cmocka_all.h"

static void test_commands_name_the_socket(void **state)
{
    static const struct {
        const char *text, *named;
    } cases[] = {
        {"see: p2pchatctl doctor", "see: p2pchatctl -s /s doctor"},
        {"p2pchatctl queue, p2pchatctl queue cancel ID",
         "p2pchatctl -s /s queue, p2pchatctl -s /s queue cancel ID"},
        {"it is full (see: p2pchatctl doctor)", "it is full (see: p2pchatctl -s /s doctor)"},
        {"sudo p2pchatctl invite bob", "sudo p2pchatctl -s /s invite bob"},
        /* what is there already, needs none, or is no command */
        {"p2pchatctl -s /t doctor", "p2pchatctl -s /t doctor"},
        {"see: p2pchatctl help send", "see: p2pchatctl help send"},
        {"ssh bob 'p2pchatctl version'", "ssh bob 'p2pchatctl version'"},
        {"/usr/bin/p2pchatctl status", "/usr/bin/p2pchatctl status"},
        {"p2pchatctl (1)", "p2pchatctl (1)"},
        {"the end is p2pchatctl ", "the end is p2pchatctl "},
        {"", ""},
        /* the peer's machine */
        {"its owner lets it in; there: p2pchatctl peer requests, p2pchatctl peer accept FP",
         "its owner lets it in; there: p2pchatctl peer requests, p2pchatctl peer accept FP"},
        {"let us in there (p2pchatctl invite), then here: p2pchatctl join",
         "let us in there (p2pchatctl invite), then here: p2pchatctl -s /s join"},
        {"(there: p2pchatctl peer requests)? Try: p2pchatctl peer connect bob",
         "(there: p2pchatctl peer requests)? Try: p2pchatctl -s /s peer connect bob"},
        {"there: p2pchatctl status? Here: p2pchatctl doctor",
         "there: p2pchatctl status? Here: p2pchatctl -s /s doctor"},
        {"there: p2pchatctl join; here: p2pchatctl invite",
         "there: p2pchatctl join; here: p2pchatctl -s /s invite"},
        {"there is no peer, see p2pchatctl invite",
         "there is no peer, see p2pchatctl -s /s invite"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bytes out = {0};
        assert_int_equal(hint_append(&out, cases[i].text, "/s"), 0);
        assert_int_equal(bytes_append_u8(&out, '\0'), 0);
        assert_string_equal((const char *)out.data, cases[i].named);
        bytes_deinit(&out);
    }
}

static void test_the_socket_is_quoted_for_a_shell(void **state)
{
    struct bytes out = {0};
    (void)state;
    assert_int_equal(hint_append(&out, "p2pchatctl status", "/a b"), 0);
    assert_int_equal(bytes_append_u8(&out, '\0'), 0);
    assert_string_equal((const char *)out.data, "p2pchatctl -s '/a b' status");
    bytes_deinit(&out);
}

static void test_without_a_socket_the_text_stays(void **state)
{
    struct bytes out = {0};
    (void)state;
    assert_int_equal(hint_append(&out, "p2pchatctl status", NULL), 0);
    assert_int_equal(out.size, sizeof "p2pchatctl status" - 1);
    bytes_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_name_the_socket),
        cmocka_unit_test(test_the_socket_is_quoted_for_a_shell),
        cmocka_unit_test(test_without_a_socket_the_text_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
