/* SPDX-License-Identifier: ISC */
/*
 * What a machine can listen on: all addresses or one, with IPv6 or without, now or later.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "net/listener.h"
#include "unit/cmocka_all.h"
#include "unit/net_rig.h"

static struct rig rig;
static struct listener *listener;
static unsigned warnings;

static bool without_ipv6;

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);

/* A kernel that was started with ipv6.disable=1. */
int __wrap_socket(int domain, int type, int protocol)
{
    if (without_ipv6 && domain == AF_INET6) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return __real_socket(domain, type, protocol);
}

static void count_warnings(const struct log_entry *entry)
{
    if (entry->level <= LOG_LEVEL_WARNING)
        warnings++;
}

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    warnings = 0;
    without_ipv6 = false;
    log_set_sink(count_warnings);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_set_sink(NULL);
    listener_free(listener);
    listener = NULL;
    rig_deinit(&rig);
    return 0;
}

static void on_accept(void *context, struct stream *stream)
{
    (void)context;
    stream_free(stream);
}

static int open_at(const char *host, uint16_t port)
{
    struct address address = {.port = port};
    snprintf(address.host, sizeof address.host, "%s", host);
    return listener_new_tcp(&listener, rig.loop, &address, on_accept, NULL);
}

static void close_it(void)
{
    listener_free(listener);
    listener = NULL;
}

static void test_names_and_unknown_interfaces_are_not_listened_on(void **state)
{
    (void)state;
    assert_int_equal(open_at("example.org", 0), -EINVAL);
    assert_int_equal(open_at("fe80::1%nowhere", 0), -ENODEV);
    assert_int_equal(warnings, 0);
}

static void test_an_address_that_may_come_is_listened_on_ahead(void **state)
{
    (void)state;
    static const char *const hosts[] = {"192.0.2.1", "2001:db8::1"};
    for (unsigned i = 0; i < 2; i++) {
        struct address own;
        int r = open_at(hosts[i], 0);
        if (r == -EAFNOSUPPORT)
            continue;
        assert_int_equal(r, 0);
        assert_int_equal(warnings, i + 1);
        assert_int_equal(address_parse(listener_name(listener), &own), 0);
        assert_string_equal(own.host, hosts[i]);
        close_it();
    }
}

static void test_without_ipv6_everywhere_is_ipv4(void **state)
{
    (void)state;
    static const char *const hosts[] = {"::", "*"};
    without_ipv6 = true;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(open_at(hosts[i], 0), 0);
        assert_memory_equal(listener_name(listener), "0.0.0.0:", 8);
        close_it();
    }
    assert_int_equal(open_at("::1", 0), -EAFNOSUPPORT);
}

static void test_a_listener_serves_what_its_address_takes_in(void **state)
{
    (void)state;
    static const struct {
        const char *listens;
        const char *asked;
        bool served;
    } table[] = {
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1", "127.0.0.2", false},
        {"127.0.0.1", "0.0.0.0", false},
        {"0.0.0.0", "127.0.0.1", true},
        {"0.0.0.0", "::1", false},
        {"0.0.0.0", "::", false},
        {"::", "0.0.0.0", true},
        {"::", "127.0.0.1", true},
        {"::", "::1", true},
        {"::", "::", true},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct address asked = {0}, own;
        assert_int_equal(open_at(table[i].listens, 0), 0);
        snprintf(asked.host, sizeof asked.host, "%s", table[i].asked);
        assert_int_equal(address_parse(listener_name(listener), &own), 0);
        asked.port = own.port;
        assert_int_equal(listener_serves(listener, &asked), table[i].served);
        asked.port++;
        assert_false(listener_serves(listener, &asked));
        asked.port = 0;
        assert_false(listener_serves(listener, &asked));
        close_it();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names_and_unknown_interfaces_are_not_listened_on,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_address_that_may_come_is_listened_on_ahead, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_without_ipv6_everywhere_is_ipv4, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_listener_serves_what_its_address_takes_in, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
