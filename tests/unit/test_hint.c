/* SPDX-License-Identifier: ISC */
/*
 * Tests base/hint: which commands name the socket, and which need sudo.
 */
#include "base/hint.h"

#include <stdio.h>
#include <string.h>

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
        const struct hint_reader reader = {.socket = "/s", .own = true, .sudo = true};
        struct bytes out = {0};
        assert_int_equal(hint_append(&out, cases[i].text, &reader), 0);
        assert_int_equal(bytes_append_u8(&out, '\0'), 0);
        assert_string_equal((const char *)out.data, cases[i].named);
        bytes_deinit(&out);
    }
}

/* What a hint becomes for this reader. */
static void assert_hint(const char *text, struct hint_reader reader, const char *becomes)
{
    struct bytes out = {0};
    assert_int_equal(hint_append(&out, text, &reader), 0);
    assert_int_equal(bytes_append_u8(&out, '\0'), 0);
    assert_string_equal((const char *)out.data, becomes);
    bytes_deinit(&out);
}

static void test_the_socket_is_quoted_for_a_shell(void **state)
{
    (void)state;
    assert_hint("p2pchatctl status", (struct hint_reader){.socket = "/a b", .own = true},
                "p2pchatctl -s '/a b' status");
}

static void test_without_a_socket_or_a_reader_the_text_stays(void **state)
{
    struct bytes out = {0};
    (void)state;
    assert_hint("p2pchatctl status", (struct hint_reader){.own = true, .sudo = true},
                "p2pchatctl status");
    assert_int_equal(hint_append(&out, "p2pchatctl invite", NULL), 0);
    assert_int_equal(out.size, sizeof "p2pchatctl invite" - 1);
    bytes_deinit(&out);
}

static void test_who_is_no_administrator_needs_sudo(void **state)
{
    static const char *const cases[][2] = {
        {"to let it in: p2pchatctl peer accept FP", "to let it in: sudo p2pchatctl peer accept FP"},
        {"p2pchatctl invite", "sudo p2pchatctl invite"},
        {"remove some (p2pchatctl purge -p bob)", "remove some (sudo p2pchatctl purge -p bob)"},
        {"systemctl edit p2pchatd-peer.socket", "sudo systemctl edit p2pchatd-peer.socket"},
        {"chown 7 '/a' && chmod 600 '/a'", "sudo chown 7 '/a' && sudo chmod 600 '/a'"},
        /* has it already, or needs none */
        {"sudo p2pchatctl invite bob", "sudo p2pchatctl invite bob"},
        {"su -c 'p2pchatctl invite bob'", "su -c 'p2pchatctl invite bob'"},
        {"there: p2pchatctl invite", "there: p2pchatctl invite"},
        {"p2pchatctl doctor", "p2pchatctl doctor"},
        {"p2pchatctl peer list", "p2pchatctl peer list"},
        {"p2pchatctl peer connect bob", "p2pchatctl peer connect bob"},
        {"systemctl cat p2pchatd-peer.socket", "systemctl cat p2pchatd-peer.socket"},
        {"systemctl --user restart p2pchatd", "systemctl --user restart p2pchatd"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_hint(cases[i][0], (struct hint_reader){.sudo = true}, cases[i][1]);
        assert_hint(cases[i][0], (struct hint_reader){.sudo = false}, cases[i][0]);
    }
    assert_hint("p2pchatctl invite", (struct hint_reader){.socket = "/s", .sudo = true},
                "sudo p2pchatctl -s /s invite");
    /* Of a daemon of one's own, only what gives files away. */
    assert_hint("chmod 600 /a", (struct hint_reader){.own = true, .sudo = true}, "chmod 600 /a");
    assert_hint("chown 7 /a", (struct hint_reader){.own = true, .sudo = true}, "sudo chown 7 /a");
}

/* Of the methods about peers, exactly those for administrators. */
static void test_the_list_is_that_of_the_methods(void **state)
{
    static const struct {
        const char *name, *access;
    } methods[] = {
#define METHOD(name, function, access, parameters, help) {name, #access},
#include "rpc/methods.def"
#undef METHOD
    };
    unsigned count = 0;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        char plain[64], root[80];
        if (strncmp(methods[i].name, "peer.", 5) != 0)
            continue;
        const bool admin = strcmp(methods[i].access, "ADMIN") == 0;
        snprintf(plain, sizeof plain, "p2pchatctl peer %s", methods[i].name + 5);
        snprintf(root, sizeof root, "%s%s", admin ? "sudo " : "", plain);
        assert_hint(plain, (struct hint_reader){.sudo = true}, root);
        count += admin;
    }
    assert_true(count > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_name_the_socket),
        cmocka_unit_test(test_the_socket_is_quoted_for_a_shell),
        cmocka_unit_test(test_without_a_socket_or_a_reader_the_text_stays),
        cmocka_unit_test(test_who_is_no_administrator_needs_sudo),
        cmocka_unit_test(test_the_list_is_that_of_the_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
