/* SPDX-License-Identifier: ISC */
/*
 * Tests core/portmap: which router is asked for which ports, whose answers count, and when others
 * are told that we are reached somewhere else. What one mapping does is tested with core/mapping;
 * here it is real, and the router grants whatever it is asked for.
 */
#include "core/portmap.h"

#include <string.h>

#include "crypto/random.h"
#include "net/local_address.h"
#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

enum { START_MS = 1000000, PORT = 8766, SENT_MAX = 16 };

static const struct network_route home_ipv4 = {
    .gateway = {[10] = 0xff, [11] = 0xff, 192, 168, 77, 1},
    .source = {[10] = 0xff, [11] = 0xff, 192, 168, 77, 2},
};
static const struct network_route home_ipv6 = {
    .gateway = {0xfe, 0x80, [15] = 1},
    .source = {0x20, 0x01, 0x0d, 0xb9, [15] = 9},
    .interface = 3,
};

/* --- stand-ins -------------------------------------------------------------------------------- */

static struct stage {
    struct runtime runtime;
    struct portmap portmap;
    struct network_route routes[2];
    uint8_t lasting[16]; /* the IPv6 address that lasts; all zero for none */
    const struct router_events *events;
    struct {
        struct network_route route;
        uint8_t datagram[PCP_REQUEST_MAX];
        size_t size;
    } sent[SENT_MAX];
    unsigned count;
    unsigned changed;
    uint32_t epoch_s; /* the router's */
} stage;

struct network_route netwatch_route(const struct netwatch *netwatch, bool ipv6)
{
    assert_non_null(netwatch);
    return stage.routes[ipv6];
}

bool local_address_lasting(uint8_t address[static 16])
{
    if (bytes_all_zero(stage.lasting, sizeof stage.lasting))
        return false;
    memcpy(address, stage.lasting, sizeof stage.lasting);
    return true;
}

void router_start(struct router *router, const struct router_events *events, void *context)
{
    assert_non_null(router);
    assert_ptr_equal(context, &stage.portmap);
    stage.events = events;
}

int router_send(struct router *router, const struct network_route *route, struct span datagram)
{
    assert_non_null(router);
    assert_in_range(stage.count, 0, SENT_MAX - 1);
    stage.sent[stage.count].route = *route;
    memcpy(stage.sent[stage.count].datagram, datagram.data, datagram.size);
    stage.sent[stage.count++].size = datagram.size;
    return 0;
}

uint32_t random_u32(void)
{
    return 0;
}

/* Another for each port and family. */
int body_sealer_tag(struct body_sealer *body_sealer, const char *label, const struct span *parts,
                    size_t count, uint8_t tag[static BODY_SEALER_TAG_SIZE])
{
    (void)body_sealer, (void)label;
    assert_int_equal(count, 1);
    memset(tag, 0, BODY_SEALER_TAG_SIZE);
    memcpy(tag, parts->data, parts->size);
    return 0;
}

static void note_change(void *context)
{
    assert_ptr_equal(context, &stage);
    stage.changed++;
}

/* --- the stage -------------------------------------------------------------------------------- */

static void begin(bool asked, bool watched)
{
    static int router, netwatch; /* only their addresses count */
    memset(&stage, 0, sizeof stage);
    fake_loop_start(START_MS, 0);
    stage.routes[0] = home_ipv4;
    stage.routes[1] = home_ipv6;
    memcpy(stage.lasting, home_ipv6.source, sizeof stage.lasting);
    assert_int_equal(portmap_init(&stage.portmap, &stage.runtime,
                                  asked ? (struct router *)(void *)&router : NULL,
                                  watched ? (struct netwatch *)(void *)&netwatch : NULL, NULL),
                     0);
    portmap_on_change(&stage.portmap, note_change, &stage);
}

/* The router grants what it was asked for in this datagram, at an address that is public. */
static void grant(unsigned which, bool ipv6)
{
    uint8_t answer[60];
    assert_int_equal(stage.sent[which].size, sizeof answer);
    memcpy(answer, stage.sent[which].datagram, sizeof answer);
    answer[1] |= 0x80;
    answer[2] = answer[3] = 0;
    put_u32(answer + 4, 3600);
    memset(answer + 8, 0, 16);
    put_u32(answer + 8, stage.epoch_s);
    if (ipv6)
        memcpy(answer + 44, stage.lasting, 16);
    else
        memcpy(answer + 44, (uint8_t[16]){[10] = 0xff, [11] = 0xff, 203, 0, 114, 5}, 16);
    stage.events->answer(&stage.portmap, ipv6, SPAN(answer, sizeof answer));
}

static int tear_down(void **state)
{
    (void)state;
    portmap_deinit(&stage.portmap);
    return 0;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_each_family_has_its_router(void **state)
{
    (void)state;
    begin(true, true);
    assert_int_equal(portmap_add(&stage.portmap, PORT, false), 0);
    assert_int_equal(portmap_add(&stage.portmap, PORT, true), 0);
    portmap_network_changed(&stage.portmap);
    assert_int_equal(stage.count, 2);
    assert_memory_equal(&stage.sent[0].route, &home_ipv4, sizeof home_ipv4);
    assert_memory_equal(&stage.sent[1].route, &home_ipv6, sizeof home_ipv6);
}

static void test_ports_have_a_limit_and_are_asked_for_once(void **state)
{
    (void)state;
    begin(true, true);
    for (uint16_t port = 1; port <= 3; port++) {
        assert_int_equal(portmap_add(&stage.portmap, port, false), 0);
        assert_int_equal(portmap_add(&stage.portmap, port, false), 0);
    }
    assert_int_equal(stage.portmap.count, PORTMAP_PORTS_MAX);
    assert_int_equal(portmap_add(&stage.portmap, 1, true), 0);
    assert_int_equal(stage.portmap.count, PORTMAP_PORTS_MAX + 1);
}

static void test_who_does_not_want_it_asks_nobody(void **state)
{
    (void)state;
    begin(false, true);
    assert_int_equal(portmap_add(&stage.portmap, PORT, false), 0);
    portmap_network_changed(&stage.portmap);
    assert_int_equal(stage.portmap.count, 0);
    tear_down(NULL);
    begin(true, false);
    assert_int_equal(portmap_add(&stage.portmap, PORT, false), 0);
    portmap_network_changed(&stage.portmap);
    assert_int_equal(stage.count, 0);
}

static void test_a_public_address_needs_no_port_of_the_router(void **state)
{
    (void)state;
    begin(true, true);
    portmap_add(&stage.portmap, PORT, false);
    memcpy(stage.routes[0].source + 12, (uint8_t[4]){203, 0, 114, 9}, 4);
    portmap_network_changed(&stage.portmap);
    assert_int_equal(stage.count, 0);
}

static void test_by_ipv6_the_address_that_lasts_is_let_in(void **state)
{
    (void)state;
    begin(true, true);
    portmap_add(&stage.portmap, PORT, true);
    stage.routes[1].source[15] = 77; /* a temporary one */
    portmap_network_changed(&stage.portmap);
    assert_int_equal(stage.count, 1);
    assert_memory_equal(stage.sent[0].route.source, home_ipv6.source, 16);
    memset(stage.lasting, 0, sizeof stage.lasting);
    portmap_network_changed(&stage.portmap);
    stage.lasting[0] = 0xfd; /* a private one */
    portmap_network_changed(&stage.portmap);
    assert_int_equal(stage.count, 1);
}

static void test_what_is_granted_is_told_once(void **state)
{
    struct address addresses[PORTMAP_MAX], gateway;
    (void)state;
    begin(true, true);
    portmap_add(&stage.portmap, PORT, false);
    assert_false(portmap_gateway(&stage.portmap.rows[0].mapping, &gateway));
    portmap_network_changed(&stage.portmap);
    assert_true(portmap_gateway(&stage.portmap.rows[0].mapping, &gateway));
    assert_string_equal(gateway.host, "192.168.77.1");
    assert_int_equal(portmap_addresses(&stage.portmap, addresses, PORTMAP_MAX), 0);
    grant(0, true); /* of the other family */
    assert_int_equal(stage.changed, 0);
    grant(0, false);
    assert_int_equal(stage.changed, 1);
    assert_int_equal(portmap_addresses(&stage.portmap, addresses, PORTMAP_MAX), 1);
    assert_string_equal(addresses[0].host, "203.0.114.5");
    assert_int_equal(addresses[0].port, PORT);
    assert_int_equal(portmap_addresses(&stage.portmap, addresses, 0), 0);
    portmap_network_changed(&stage.portmap);
    assert_int_equal(stage.changed, 1);
    stage.routes[0] = (struct network_route){0};
    portmap_network_changed(&stage.portmap);
    assert_int_equal(stage.changed, 2);
    assert_int_equal(portmap_addresses(&stage.portmap, addresses, PORTMAP_MAX), 0);
}

static void test_a_lease_is_renewed_in_time(void **state)
{
    (void)state;
    begin(true, true);
    portmap_add(&stage.portmap, PORT, false);
    portmap_network_changed(&stage.portmap);
    grant(0, false);
    assert_in_range(fake_loop_due(), START_MS + 1000, START_MS + 3600 * 1000);
    assert_true(fake_loop_step(fake_loop_due()));
    assert_int_equal(stage.count, 2);
}

static void test_a_router_that_forgot_is_asked_for_all_again(void **state)
{
    (void)state;
    begin(true, true);
    portmap_add(&stage.portmap, PORT, false);
    portmap_add(&stage.portmap, PORT + 1, false);
    portmap_network_changed(&stage.portmap);
    grant(0, false);
    grant(1, false);
    stage.events->announced(&stage.portmap);
    assert_int_equal(stage.count, 4);
}

static void test_a_router_whose_clock_began_anew_is_asked_for_the_others_again(void **state)
{
    (void)state;
    begin(true, true);
    portmap_add(&stage.portmap, PORT, false);
    portmap_add(&stage.portmap, PORT + 1, false);
    portmap_network_changed(&stage.portmap);
    stage.epoch_s = 5000;
    grant(0, false);
    grant(1, false);
    assert_int_equal(stage.count, 2);
    fake_loop_step(fake_loop_due()); /* both are renewed */
    assert_int_equal(stage.count, 4);
    stage.epoch_s += (uint32_t)((fake_loop.now_ms - START_MS) / 1000);
    grant(3, false);
    assert_int_equal(stage.count, 4);
    stage.epoch_s = 1;
    grant(2, false);
    assert_int_equal(stage.count, 5);
}

static void test_each_port_has_a_nonce_of_its_own(void **state)
{
    (void)state;
    begin(true, true);
    portmap_add(&stage.portmap, PORT, false);
    portmap_add(&stage.portmap, PORT, true);
    portmap_add(&stage.portmap, PORT + 1, false);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned k = 0; k < i; k++)
            assert_memory_not_equal(stage.portmap.rows[i].mapping.wish.nonce,
                                    stage.portmap.rows[k].mapping.wish.nonce, PCP_NONCE_SIZE);
}

static void test_a_router_that_refuses_is_left_alone(void **state)
{
    (void)state;
    begin(true, true);
    portmap_add(&stage.portmap, PORT, false);
    portmap_add(&stage.portmap, PORT, true);
    portmap_network_changed(&stage.portmap);
    stage.events->refused(&stage.portmap, false);
    assert_int_equal(stage.portmap.rows[0].mapping.phase, MAPPING_RESTING);
    assert_int_equal(stage.portmap.rows[1].mapping.phase, MAPPING_ASK_PCP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_each_family_has_its_router, tear_down),
        cmocka_unit_test_teardown(test_ports_have_a_limit_and_are_asked_for_once, tear_down),
        cmocka_unit_test_teardown(test_who_does_not_want_it_asks_nobody, tear_down),
        cmocka_unit_test_teardown(test_a_public_address_needs_no_port_of_the_router, tear_down),
        cmocka_unit_test_teardown(test_by_ipv6_the_address_that_lasts_is_let_in, tear_down),
        cmocka_unit_test_teardown(test_what_is_granted_is_told_once, tear_down),
        cmocka_unit_test_teardown(test_a_lease_is_renewed_in_time, tear_down),
        cmocka_unit_test_teardown(test_a_router_that_forgot_is_asked_for_all_again, tear_down),
        cmocka_unit_test_teardown(
            test_a_router_whose_clock_began_anew_is_asked_for_the_others_again, tear_down),
        cmocka_unit_test_teardown(test_each_port_has_a_nonce_of_its_own, tear_down),
        cmocka_unit_test_teardown(test_a_router_that_refuses_is_left_alone, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
