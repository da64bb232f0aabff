/* SPDX-License-Identifier: ISC */
/*
 * What socket addresses mean, and the options that TCP connections get.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/socket.h"

static struct origin origin_of(int family, const char *host, uint16_t port)
{
    union socket_address address = {0};
    struct origin origin;
    address.any.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        address.v4.sin_port = htons(port);
        assert_int_equal(inet_pton(family, host, &address.v4.sin_addr), 1);
    } else {
        address.v6.sin6_port = htons(port);
        assert_int_equal(inet_pton(family, host, &address.v6.sin6_addr), 1);
    }
    memset(&origin, 0xaa, sizeof(origin));
    socket_origin(&address, &origin);
    return origin;
}

static bool same_key(int family_a, const char *a, int family_b, const char *b)
{
    const struct origin first = origin_of(family_a, a, 1);
    const struct origin second = origin_of(family_b, b, 2);
    return memcmp(first.key, second.key, sizeof(first.key)) == 0;
}

static void test_origins_read_as_people_write_them(void **state)
{
    (void)state;
    assert_string_equal(origin_of(AF_INET, "192.0.2.1", 8766).text, "192.0.2.1:8766");
    assert_string_equal(origin_of(AF_INET6, "2001:db8::1", 80).text, "[2001:db8::1]:80");
    assert_string_equal(origin_of(AF_INET6, "::ffff:192.0.2.1", 80).text, "192.0.2.1:80");
}

static void test_a_link_local_origin_has_its_interface(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        uint32_t interface;
        const char *text;
    } table[] = {
        {"fe80::1", 1, "[fe80::1%lo]:8766"}, /* lo is always the first */
        {"fe80::1", 0x7fffffff, "[fe80::1%2147483647]:8766"},
        {"fe80::1", 0, "[fe80::1]:8766"},
        {"2001:db8::1", 1, "[2001:db8::1]:8766"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        union socket_address address = {.v6 = {.sin6_family = AF_INET6,
                                               .sin6_port = htons(8766),
                                               .sin6_scope_id = table[i].interface}};
        struct origin origin;
        assert_int_equal(inet_pton(AF_INET6, table[i].host, &address.v6.sin6_addr), 1);
        socket_origin(&address, &origin);
        assert_string_equal(origin.text, table[i].text);
    }
}

static void test_ipv4_counts_by_address_however_it_arrived(void **state)
{
    (void)state;
    assert_true(same_key(AF_INET, "192.0.2.1", AF_INET, "192.0.2.1"));
    assert_true(same_key(AF_INET, "192.0.2.1", AF_INET6, "::ffff:192.0.2.1"));
    assert_false(same_key(AF_INET, "192.0.2.1", AF_INET, "192.0.2.2"));
    assert_false(same_key(AF_INET6, "::ffff:192.0.2.1", AF_INET6, "::ffff:192.0.2.2"));
}

static void test_ipv6_counts_by_its_64_bit_prefix(void **state)
{
    (void)state;
    assert_true(same_key(AF_INET6, "2001:db8:1:2::1", AF_INET6, "2001:db8:1:2:ffff::9"));
    assert_false(same_key(AF_INET6, "2001:db8:1:2::1", AF_INET6, "2001:db8:1:3::1"));
    assert_false(same_key(AF_INET6, "::1", AF_INET, "0.0.0.1"));
}

static void test_tcp_is_prompt_and_notices_a_lost_peer(void **state)
{
    static const struct {
        int level;
        int name;
        int value;
    } expected[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 20},
        {IPPROTO_TCP, TCP_KEEPINTVL, 5},
        {IPPROTO_TCP, TCP_KEEPCNT, 5},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, 0},
        {IPPROTO_TCP, TCP_NOTSENT_LOWAT, 32 * 1024},
    };
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(socket_tune_tcp(fd), 0);
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        int value = -1;
        socklen_t size = sizeof(value);
        assert_int_equal(getsockopt(fd, expected[i].level, expected[i].name, &value, &size), 0);
        assert_int_equal(value, expected[i].value);
    }
    close(fd);
    assert_true(socket_tune_tcp(fd) < 0);
}

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    getsockopt(fd, level, name, &value, &size);
    return value;
}

static void test_bulk_may_wait_and_in_the_background_gives_way(void **state)
{
    const int v4 = socket(AF_INET, SOCK_STREAM, 0), v6 = socket(AF_INET6, SOCK_STREAM, 0);
    (void)state;
    socket_tune_bulk(v4, false);
    assert_int_equal(option_of(v4, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 128 * 1024);
    assert_int_equal(option_of(v4, IPPROTO_IP, IP_TOS), 0);
    socket_tune_bulk(v4, true);
    assert_int_equal(option_of(v4, IPPROTO_IP, IP_TOS) >> 2, 1); /* DSCP LE */
    socket_tune_bulk(v6, true);
    assert_int_equal(option_of(v6, IPPROTO_IPV6, IPV6_TCLASS) >> 2, 1);
    assert_int_equal(option_of(v6, IPPROTO_IP, IP_TOS) >> 2, 1); /* it may carry IPv4 */
    close(v4);
    close(v6);
}

static void test_a_connection_to_itself_is_noticed(void **state)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(own);
    (void)state;
    assert_false(socket_is_self_connected(fd));
    assert_int_equal(bind(fd, (struct sockaddr *)&own, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &size), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&own, size), 0);
    assert_true(socket_is_self_connected(fd));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_origins_read_as_people_write_them),
        cmocka_unit_test(test_a_link_local_origin_has_its_interface),
        cmocka_unit_test(test_ipv4_counts_by_address_however_it_arrived),
        cmocka_unit_test(test_ipv6_counts_by_its_64_bit_prefix),
        cmocka_unit_test(test_tcp_is_prompt_and_notices_a_lost_peer),
        cmocka_unit_test(test_bulk_may_wait_and_in_the_background_gives_way),
        cmocka_unit_test(test_a_connection_to_itself_is_noticed),
    };
    return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}
