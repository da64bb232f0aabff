/* SPDX-License-Identifier: ISC */
/*
 * Tests core/mapping against a router that is played here, in virtual time: how often it is asked,
 * for how long a port stays open, and what a router that forgets, refuses, lies or is silent does.
 */
#include "core/mapping.h"

#include <string.h>

#include "unit/cmocka_all.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS, PORT = 8766 };

static const uint8_t nonce[PCP_NONCE_SIZE] = {1, 2, 3};
static const struct network_route home = {
    .gateway = {[10] = 0xff, [11] = 0xff, 192, 168, 77, 1},
    .source = {[10] = 0xff, [11] = 0xff, 192, 168, 77, 2},
};
static const struct network_route elsewhere = {
    .gateway = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1},
    .source = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 7},
};
static const struct network_route nowhere;

/* A router, by what it does. */
static struct router_part {
    bool pcp, natpmp; /* the dialects that it speaks */
    bool version_0;   /* it answers PCP in the words of NAT-PMP */
    uint8_t result;
    uint32_t lifetime_s;
    uint32_t epoch_s; /* at the start of the test */
    uint16_t external_port;
    bool other_nonce;
    unsigned asked;
} router;

static struct mapping mapping;
static uint64_t now_ms;

static int start(void **state)
{
    (void)state;
    router = (struct router_part){
        .pcp = true, .natpmp = true, .lifetime_s = 3600, .epoch_s = 5000, .external_port = PORT};
    now_ms = 1000000;
    mapping_init(&mapping, PORT, nonce, 12345);
    return 0;
}

/* --- the router's part ------------------------------------------------------------------------ */

static uint32_t epoch(void)
{
    return router.epoch_s + (uint32_t)((now_ms - 1000000) / 1000);
}

static size_t answer_pcp(const uint8_t *request, uint8_t out[static 60])
{
    memcpy(out, request, 60);
    out[1] |= 0x80;
    out[3] = router.result;
    put_u32(out + 4, router.lifetime_s);
    put_u32(out + 8, epoch());
    out[24] ^= router.other_nonce;
    put_u16(out + 42, router.external_port);
    memcpy(out + 44, (uint8_t[16]){[10] = 0xff, [11] = 0xff, 11, 22, 33, 7}, 16);
    return 60;
}

static size_t answer_natpmp(const uint8_t *request, uint8_t out[static 60])
{
    memset(out, 0, 16);
    out[1] = request[1] | 0x80;
    out[3] = router.result;
    put_u32(out + 4, epoch());
    if (request[1] == 0) {
        memcpy(out + 8, (uint8_t[4]){11, 22, 33, 7}, 4);
        return 12;
    }
    memcpy(out + 8, request + 4, 2);
    put_u16(out + 10, router.external_port);
    put_u32(out + 12, router.lifetime_s);
    return router.result == 0 ? 16 : 8;
}

static size_t answer(const uint8_t *request, uint8_t out[static 60])
{
    if (request[0] == 2 && router.pcp)
        return answer_pcp(request, out);
    if (request[0] == 2 && router.version_0) {
        memcpy(out, (uint8_t[8]){0, 0x81, 0, 1}, 8);
        return 8;
    }
    return request[0] == 0 && router.natpmp ? answer_natpmp(request, out) : 0;
}

/* Lets time pass until then; what is asked is answered at once. Whether memory was lost. */
static bool run(uint64_t until_ms)
{
    bool lost = false;
    for (;;) {
        uint8_t request[PCP_REQUEST_MAX], reply[60];
        while (mapping_next(&mapping, now_ms, request) > 0) {
            router.asked++;
            size_t size = answer(request, reply);
            lost |= size > 0 && mapping_take(&mapping, SPAN(reply, size), now_ms);
        }
        assert_true(mapping_due(&mapping) > now_ms); /* it never asks for ever at one time */
        if (mapping_due(&mapping) > until_ms)
            break;
        now_ms = mapping_due(&mapping);
    }
    now_ms = until_ms;
    return lost;
}

static void move(const struct network_route *route)
{
    mapping_move(&mapping, route, now_ms);
    run(now_ms);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_without_a_router_nothing_is_asked(void **state)
{
    (void)state;
    move(&nowhere);
    run(now_ms + 24 * (uint64_t)HOUR_MS);
    assert_int_equal(router.asked, 0);
    assert_string_equal(mapping_flaw(&mapping), "there is no router");
}

static void test_a_port_stays_open_for_a_day(void **state)
{
    (void)state;
    move(&home);
    assert_int_equal(router.asked, 1);
    for (unsigned minute = 0; minute < 24 * 60; minute++) {
        run(now_ms + MINUTE_MS);
        assert_true(mapping_left_ms(&mapping, now_ms) > HOUR_MS / 4);
    }
    assert_in_range(router.asked, 24, 48 + 1); /* about twice in each lease */
}

static void test_a_lost_renewal_is_asked_again_before_the_lease_ends(void **state)
{
    (void)state;
    move(&home);
    router.pcp = router.natpmp = false;
    run(now_ms + 50 * MINUTE_MS); /* the renewals at a half and at three quarters get no answer */
    assert_true(mapping_left_ms(&mapping, now_ms) > 0);
    router.pcp = true;
    run(now_ms + 4 * MINUTE_MS); /* at seven eighths */
    assert_true(mapping_left_ms(&mapping, now_ms) > HOUR_MS / 2);
}

static void test_a_lease_that_can_not_be_renewed_ends(void **state)
{
    (void)state;
    move(&home);
    router.pcp = router.natpmp = false;
    run(now_ms + HOUR_MS + MINUTE_MS);
    assert_int_equal(mapping_left_ms(&mapping, now_ms), 0);
    assert_string_equal(mapping_flaw(&mapping), "the router does not answer");
}

static void test_a_silent_router_is_left_alone_for_an_hour(void **state)
{
    (void)state;
    router.pcp = router.natpmp = false;
    move(&home);
    run(now_ms + 10 * SECOND_MS);
    assert_int_equal(router.asked, 2 * MAPPING_TRIES); /* in both dialects */
    run(now_ms + 50 * MINUTE_MS);
    assert_int_equal(router.asked, 2 * MAPPING_TRIES);
    run(now_ms + 15 * MINUTE_MS);
    assert_int_equal(router.asked, 4 * MAPPING_TRIES);
}

static void test_a_router_that_speaks_nat_pmp_only_is_understood(void **state)
{
    (void)state;
    router.pcp = false;
    move(&home);
    run(now_ms + 4 * SECOND_MS);
    assert_true(mapping.held);
    assert_int_equal(mapping.dialect, PCP_DIALECT_NATPMP);
    router.asked = 0;
    run(now_ms + 40 * MINUTE_MS);
    assert_int_equal(router.asked, 2); /* renewed without trying PCP first */
}

static void test_one_that_says_so_is_understood_at_once(void **state)
{
    (void)state;
    router.pcp = false;
    router.version_0 = true;
    move(&home);
    assert_true(mapping.held);
    assert_int_equal(router.asked, 3);
}

static void test_a_refused_port_is_another_dialect_s_or_nobody_s(void **state)
{
    (void)state;
    router.pcp = router.natpmp = false;
    move(&home);
    mapping_refused(&mapping, now_ms);
    assert_string_equal(mapping_flaw(&mapping), "the router does not answer");
    run(now_ms + 50 * MINUTE_MS);
    assert_int_equal(router.asked, 1);
}

static void test_what_we_have_is_what_we_go_on_to_ask_for(void **state)
{
    uint8_t request[PCP_REQUEST_MAX];
    (void)state;
    router.external_port = 40000;
    move(&home);
    now_ms = mapping_due(&mapping);
    assert_int_equal(mapping_next(&mapping, now_ms, request), 60);
    assert_int_equal(get_u16(request + 42), 40000);
    assert_memory_equal(request + 44, mapping.wish.external, 16);
    assert_memory_equal(request + 24, nonce, sizeof nonce);
}

static void test_answers_to_others_are_not_ours(void **state)
{
    (void)state;
    router.other_nonce = true;
    router.natpmp = false;
    move(&home);
    run(now_ms + 10 * SECOND_MS);
    assert_false(mapping.held);
    assert_string_equal(mapping_flaw(&mapping), "the router does not answer");
}

static void test_nobody_can_put_words_into_a_held_mapping(void **state)
{
    uint8_t request[PCP_REQUEST_MAX], reply[60];
    (void)state;
    move(&home);
    pcp_write_map(&mapping.wish, request);
    router.external_port = 1;
    assert_false(mapping_take(&mapping, SPAN(reply, answer(request, reply)), now_ms));
    assert_int_equal(mapping.wish.external_port, PORT);
}

static void test_a_refusal_is_respected_for_as_long_as_it_says(void **state)
{
    (void)state;
    router.result = PCP_NOT_AUTHORIZED;
    router.lifetime_s = 1800;
    move(&home);
    assert_string_equal(mapping_flaw(&mapping), "the router does not allow it");
    run(now_ms + 29 * MINUTE_MS);
    assert_int_equal(router.asked, 1);
    router.lifetime_s = 0; /* but not for less than half a minute */
    run(now_ms + 2 * MINUTE_MS);
    assert_in_range(router.asked, 2, 4);
}

static void test_a_router_that_forgot_is_noticed_by_its_epoch(void **state)
{
    (void)state;
    move(&home);
    assert_false(run(now_ms + 30 * MINUTE_MS + HOUR_MS / 8)); /* its clock runs on */
    router.epoch_s = 0;
    now_ms += 1000000; /* so that it counts from little again */
    router.epoch_s = (uint32_t) - ((now_ms - 1000000) / 1000);
    assert_true(run(now_ms + HOUR_MS));
    assert_true(mapping.held);
}

static void test_an_announcement_asks_again_but_not_more_than_every_ten_seconds(void **state)
{
    (void)state;
    move(&home);
    router.asked = 0;
    for (int i = 0; i < 100; i++) {
        mapping_renew(&mapping, now_ms);
        run(now_ms + 100);
    }
    assert_int_equal(router.asked, 1);
    mapping_renew(&mapping, now_ms);
    run(now_ms);
    assert_int_equal(router.asked, 2);
}

static void test_in_another_network_all_begins_anew(void **state)
{
    uint8_t request[PCP_REQUEST_MAX];
    (void)state;
    move(&home);
    mapping_move(&mapping, &elsewhere, now_ms);
    assert_int_equal(mapping_left_ms(&mapping, now_ms), 0);
    assert_int_equal(mapping_next(&mapping, now_ms, request), 60);
    assert_memory_equal(request + 8, elsewhere.source, 16);
    mapping_move(&mapping, &nowhere, now_ms);
    assert_int_equal(mapping_next(&mapping, now_ms, request), 0);
}

static void test_news_of_the_same_network_leave_a_lease_alone(void **state)
{
    (void)state;
    move(&home);
    move(&home);
    assert_int_equal(router.asked, 1);
}

static void test_a_lease_is_neither_too_short_nor_too_long_for_us(void **state)
{
    (void)state;
    router.lifetime_s = 1;
    move(&home);
    assert_int_equal(mapping_left_ms(&mapping, now_ms), MAPPING_LEASE_MIN_S * SECOND_MS);
    move(&elsewhere);
    router.lifetime_s = UINT32_MAX;
    move(&home);
    assert_int_equal(mapping_left_ms(&mapping, now_ms), MAPPING_LEASE_MAX_S * SECOND_MS);
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_without_a_router_nothing_is_asked),
        TEST(test_a_port_stays_open_for_a_day),
        TEST(test_a_lost_renewal_is_asked_again_before_the_lease_ends),
        TEST(test_a_lease_that_can_not_be_renewed_ends),
        TEST(test_a_silent_router_is_left_alone_for_an_hour),
        TEST(test_a_router_that_speaks_nat_pmp_only_is_understood),
        TEST(test_one_that_says_so_is_understood_at_once),
        TEST(test_a_refused_port_is_another_dialect_s_or_nobody_s),
        TEST(test_what_we_have_is_what_we_go_on_to_ask_for),
        TEST(test_answers_to_others_are_not_ours),
        TEST(test_nobody_can_put_words_into_a_held_mapping),
        TEST(test_a_refusal_is_respected_for_as_long_as_it_says),
        TEST(test_a_router_that_forgot_is_noticed_by_its_epoch),
        TEST(test_an_announcement_asks_again_but_not_more_than_every_ten_seconds),
        TEST(test_in_another_network_all_begins_anew),
        TEST(test_news_of_the_same_network_leave_a_lease_alone),
        TEST(test_a_lease_is_neither_too_short_nor_too_long_for_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
