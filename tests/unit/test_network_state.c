/* SPDX-License-Identifier: ISC */
/*
 * Tests net/network_state: messages of rtnetlink, good ones and cut or spoiled ones.
 */
#include "net/network_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"

/* Messages as they are put together, aligned as the kernel does. */
struct script {
    _Alignas(struct nlmsghdr) uint8_t data[1024];
    size_t size;
    struct nlmsghdr *header; /* of the latest message */
};

static void begin(struct script *script, uint16_t type, const void *body, size_t size)
{
    script->header = (void *)(script->data + script->size);
    *script->header =
        (struct nlmsghdr){.nlmsg_len = (uint32_t)NLMSG_LENGTH(size), .nlmsg_type = type};
    memcpy(NLMSG_DATA(script->header), body, size);
    script->size += NLMSG_SPACE(size);
}

static void add(struct script *script, uint16_t type, const void *value, size_t size)
{
    struct rtattr attribute = {.rta_len = (uint16_t)RTA_LENGTH(size), .rta_type = type};
    memcpy(script->data + script->size, &attribute, sizeof attribute);
    memcpy(script->data + script->size + sizeof attribute, value, size);
    script->size += RTA_SPACE(size);
    script->header->nlmsg_len += (uint32_t)RTA_SPACE(size);
}

static void add_ip(struct script *script, uint16_t type, const char *text)
{
    uint8_t address[16];
    int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    assert_int_equal(inet_pton(family, text, address), 1);
    add(script, type, address, family == AF_INET ? 4 : 16);
}

static void add_address(struct script *script, const char *text, uint8_t flags)
{
    struct ifaddrmsg body = {.ifa_family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET,
                             .ifa_flags = flags};
    begin(script, RTM_NEWADDR, &body, sizeof body);
    add_ip(script, IFA_ADDRESS, text);
}

static void add_route(struct script *script, const char *gateway, uint32_t interface)
{
    struct rtmsg body = {.rtm_family = strchr(gateway, ':') != NULL ? AF_INET6 : AF_INET};
    begin(script, RTM_NEWROUTE, &body, sizeof body);
    add_ip(script, RTA_GATEWAY, gateway);
    add(script, RTA_OIF, &interface, sizeof interface);
}

static bool has(const struct network_state *state, const char *text)
{
    uint8_t address[16];
    assert_int_equal(inet_pton(AF_INET6, text, address), 1);
    return network_state_has(state, address);
}

static void test_addresses_are_taken_once_they_can_be_used(void **state)
{
    struct network_state seen = {0};
    struct script script = {.size = 0};
    (void)state;
    add_address(&script, "192.0.2.1", 0);
    add_address(&script, "2001:db8::1", 0);
    add_address(&script, "2001:db8::2", IFA_F_TENTATIVE);
    add_address(&script, "2001:db8::3", IFA_F_DADFAILED);
    assert_false(network_state_read(&seen, script.data, script.size));
    assert_int_equal(seen.count, 2);
    assert_true(has(&seen, "::ffff:192.0.2.1"));
    assert_true(has(&seen, "2001:db8::1"));
    assert_false(has(&seen, "2001:db8::2"));
    assert_false(has(&seen, "::ffff:192.0.2.2"));
    assert_true(has(&seen, "::ffff:127.8.9.1"));
    assert_true(has(&seen, "::1"));
}

static void test_of_two_ends_the_own_one_counts(void **state)
{
    struct network_state seen = {0};
    struct script script = {.size = 0};
    struct ifaddrmsg body = {.ifa_family = AF_INET};
    (void)state;
    for (int i = 0; i < 2; i++) {
        begin(&script, RTM_NEWADDR, &body, sizeof body);
        add_ip(&script, i == 0 ? IFA_ADDRESS : IFA_LOCAL, i == 0 ? "10.1.0.2" : "10.2.0.1");
        add_ip(&script, i == 0 ? IFA_LOCAL : IFA_ADDRESS, i == 0 ? "10.1.0.1" : "10.2.0.2");
    }
    network_state_read(&seen, script.data, script.size);
    assert_true(has(&seen, "::ffff:10.1.0.1"));
    assert_true(has(&seen, "::ffff:10.2.0.1"));
    assert_int_equal(seen.count, 2);
}

static void test_what_differs_is_said(void **state)
{
    struct network_state one = {0}, other = {0};
    struct script script = {.size = 0};
    (void)state;
    add_address(&script, "192.0.2.1", 0);
    add_address(&script, "192.0.2.2", 0);
    add_route(&script, "192.0.2.9", 3);
    add_route(&script, "fe80::9", 3);
    network_state_read(&one, script.data, script.size);
    script.size = 0;
    add_route(&script, "192.0.2.9", 3);
    add_address(&script, "192.0.2.2", 0);
    add_address(&script, "192.0.2.1", 0);
    network_state_read(&other, script.data, script.size);
    assert_int_equal(network_state_compare(&one, &other), NETWATCH_ROUTES);
    script.size = 0;
    add_route(&script, "fe80::9", 3);
    network_state_read(&other, script.data, script.size);
    assert_int_equal(network_state_compare(&one, &other), 0);
    script.size = 0;
    add_address(&script, "192.0.2.3", 0);
    network_state_read(&other, script.data, script.size);
    assert_int_equal(network_state_compare(&one, &other), NETWATCH_ADDRESSES);
    assert_int_equal(network_state_compare(&other, &one), NETWATCH_ADDRESSES);
}

static void test_more_addresses_than_there_is_room_for_are_all_there(void **state)
{
    struct network_state seen = {0};
    (void)state;
    for (unsigned i = 0; i <= NETWORK_ADDRESSES_MAX; i++) {
        struct script script = {.size = 0};
        add_address(&script, "192.0.2.1", 0);
        network_state_read(&seen, script.data, script.size);
    }
    assert_true(has(&seen, "2001:db8::77"));
}

static void test_an_answer_ends_with_done_or_an_error(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct network_state seen = {0};
        struct script script = {.size = 0};
        int error = -ENETUNREACH;
        add_address(&script, "192.0.2.1", 0);
        begin(&script, i == 0 ? NLMSG_DONE : NLMSG_ERROR, &error, sizeof error);
        assert_true(network_state_read(&seen, script.data, script.size));
        assert_int_equal(seen.count, 1);
    }
}

/* Sizes that lie lead nowhere; memcheck and the sanitizers see a step too far. */
static void test_messages_cut_and_spoiled_at_every_byte(void **state)
{
    struct script script = {.size = 0};
    (void)state;
    add_address(&script, "192.0.2.1", 0);
    add_route(&script, "fe80::9", 3);
    for (size_t size = 0; size <= script.size; size++) {
        struct network_state seen = {0};
        struct script exact = script;
        network_state_read(&seen, exact.data, size);
        assert_in_range(seen.count, 0, 1);
    }
    for (size_t at = 0; at < script.size; at++)
        for (unsigned value = 0; value < 256; value++) {
            struct network_state seen = {0};
            struct script spoiled = script;
            spoiled.data[at] = (uint8_t)value;
            network_state_read(&seen, spoiled.data, spoiled.size);
            assert_in_range(seen.count, 0, 2);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_taken_once_they_can_be_used),
        cmocka_unit_test(test_of_two_ends_the_own_one_counts),
        cmocka_unit_test(test_what_differs_is_said),
        cmocka_unit_test(test_more_addresses_than_there_is_room_for_are_all_there),
        cmocka_unit_test(test_an_answer_ends_with_done_or_an_error),
        cmocka_unit_test(test_messages_cut_and_spoiled_at_every_byte),
    };
    return cmocka_run_group_tests_name("network_state", tests, NULL, NULL);
}
