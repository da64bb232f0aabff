/* SPDX-License-Identifier: ISC */
/*
 * Tests base/address: what is an address, and that format and parse are each other's inverse.
 */
#include "base/address.h"

#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"

static void test_parse_reads_every_form(void **state)
{
    static const struct {
        const char *text;
        const char *host;
        uint16_t port;
    } cases[] = {
        {"alice.example", "alice.example", 8766}, {"alice.example:9000", "alice.example", 9000},
        {"192.0.2.1", "192.0.2.1", 8766},         {"192.0.2.1:0", "192.0.2.1", 0},
        {"192.0.2.1:65535", "192.0.2.1", 65535},  {"[2001:db8::1]:8766", "2001:db8::1", 8766},
        {"[2001:db8::1]", "2001:db8::1", 8766},   {"[::ffff:192.0.2.1]:1", "::ffff:192.0.2.1", 1},
        {"2001:db8::1", "2001:db8::1", 8766},     {"::1", "::1", 8766},
        {"[fe80::1%eth0]:7", "fe80::1%eth0", 7},  {"host_1-a.", "host_1-a.", 8766},
    };
    struct address address;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(address_parse(cases[i].text, &address), 0);
        assert_string_equal(address.host, cases[i].host);
        assert_int_equal(address.port, cases[i].port);
    }
}

static void test_parse_refuses_junk(void **state)
{
    static const char *const cases[] = {
        "",
        ":",
        ":80",
        "host:",
        "host:65536",
        "host:-1",
        "host:+1",
        "host: 80",
        "host:80 ",
        "host:0x50",
        "host:99999999999999999999",
        " host",
        "ho st",
        "host\n",
        "a..b",
        ".a",
        "-a",
        "[",
        "[]",
        "[]:80",
        "[::1",
        "[::1]80",
        "[::1]:",
        "[::1]x",
        "[host]:80",
        "[192.0.2.1]:80",
        "::1:",
        "a:b:c",
        "::g",
        "2001:db8::1::2",
        "fe80::1%",
        "fe80::1% x",
        "[::1]:80:81",
        "h\xc3\xb6st",
        "host/path",
        "\x1b[2J",
    };
    struct address address = {.host = "before", .port = 3};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (address_parse(cases[i], &address) != -EINVAL)
            fail_msg("accepted \"%s\"", cases[i]);
    }
    assert_string_equal(address.host, "before");
    assert_int_equal(address.port, 3);
}

static void test_parse_bounds_the_host(void **state)
{
    char text[ADDRESS_HOST_MAX + 16];
    struct address address;
    (void)state;
    memset(text, 'a', sizeof(text));
    text[ADDRESS_HOST_MAX - 1] = '\0';
    assert_int_equal(address_parse(text, &address), 0);
    text[ADDRESS_HOST_MAX - 1] = 'a';
    text[ADDRESS_HOST_MAX] = '\0';
    assert_int_equal(address_parse(text, &address), -EINVAL);
    memset(text, ':', ADDRESS_HOST_MAX);
    assert_int_equal(address_parse(text, &address), -EINVAL);
}

static void test_format_brackets_only_ipv6(void **state)
{
    static const char *const cases[] = {"[2001:db8::1]:8766", "alice.example:0", "192.0.2.1:65535"};
    char text[ADDRESS_TEXT_MAX];
    struct address address;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(address_parse(cases[i], &address), 0);
        address_format(&address, text);
        assert_string_equal(text, cases[i]);
    }
}

static void test_what_somebody_may_dial_has_no_flaw(void **state)
{
    static const char *const cases[] = {
        "alice.example",        "192.0.2.1:1", "127.0.0.1:8766", "[::1]:8766",  "[fe80::1%eth0]:7",
        "[::ffff:192.0.2.1]:1", "0.example:1", "10.0.0.0:1",     "dead.beef:1",
    };
    struct address address;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(address_parse(cases[i], &address), 0);
        assert_null(address_flaw(&address));
    }
}

static void test_what_nobody_can_dial_has_a_flaw(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"alice.example:0", "port"},
        {"[2001:db8::1]:0", "port"},
        {"::", "every address"},
        {"[::]:8766", "every address"},
        {"[0:0:0:0:0:0:0:0]:1", "every address"},
        {"[::ffff:0.0.0.0]:1", "every address"},
        {"0.0.0.0:8766", "every address"},
        {"0", "every address"},
        {"0x0.0:1", "every address"},
        {"224.0.0.1", "many"},
        {"255.255.255.255", "many"},
        {"[ff02::1]:8766", "many"},
    };
    struct address address;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(address_parse(cases[i].text, &address), 0);
        assert_non_null(address_flaw(&address));
        assert_non_null(strstr(address_flaw(&address), cases[i].says));
    }
}

static void test_format_holds_the_longest_address(void **state)
{
    struct address address = {.port = 65535};
    char text[ADDRESS_TEXT_MAX];
    (void)state;
    memset(address.host, ':', sizeof(address.host) - 1);
    address_format(&address, text);
    assert_int_equal(strlen(text), ADDRESS_HOST_MAX - 1 + strlen("[]:65535"));
}

static void test_set_host_writes_ipv4_as_people_do(void **state)
{
    static const struct {
        uint8_t bytes[16];
        const char *host;
    } cases[] = {
        {{[10] = 0xff, [11] = 0xff, 192, 0, 2, 1}, "192.0.2.1"},
        {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, "2001:db8::1"},
        {{[15] = 1}, "::1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct address address = {.host = "what was there", .port = 7};
        address_set_host(&address, cases[i].bytes);
        assert_string_equal(address.host, cases[i].host);
        assert_int_equal(address.port, 7);
    }
}

static void test_a_port_may_be_left_out(void **state)
{
    static const char *const with[] = {"a:1", "192.0.2.1:8766", "[2001:db8::1]:8766"};
    static const char *const without[] = {"a", "192.0.2.1", "[2001:db8::1]", "2001:db8::1", "::1"};
    (void)state;
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++)
        assert_true(address_has_port(with[i]));
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++)
        assert_false(address_has_port(without[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_port_may_be_left_out),
        cmocka_unit_test(test_parse_reads_every_form),
        cmocka_unit_test(test_parse_refuses_junk),
        cmocka_unit_test(test_parse_bounds_the_host),
        cmocka_unit_test(test_format_brackets_only_ipv6),
        cmocka_unit_test(test_what_somebody_may_dial_has_no_flaw),
        cmocka_unit_test(test_what_nobody_can_dial_has_a_flaw),
        cmocka_unit_test(test_format_holds_the_longest_address),
        cmocka_unit_test(test_set_host_writes_ipv4_as_people_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
