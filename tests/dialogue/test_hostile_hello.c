/* SPDX-License-Identifier: ISC */
/*
 * Strangers and liars before anything is sealed: what a host answers to a bad HELLO_J, and that a
 * joiner says nothing to a bad HELLO_H.
 */
#include <string.h>

#include "dialogue/puppet.h"
#include "unit/cmocka_all.h"

static struct puppet puppet;

enum { HEADER = FRAME_HEADER_SIZE, EK_SIZE = 1184 };

/* A HELLO_J of a stranger, to be changed. */
struct offer {
    uint8_t frame[HEADER + 4096];
    size_t size;
};

static struct offer make_offer(void)
{
    struct offer offer = {.size = HEADER + HELLO_SIZE_PLAIN};
    struct hello hello = {0};
    struct keyx keyx;
    assert_int_equal(keyx_generate(&keyx), 0);
    memset(hello.random, 0x5a, sizeof(hello.random));
    memcpy(hello.share, keyx.public_key, KEYX_SIZE);
    hello_joiner_encode(&hello, SUITE_BIT(SUITE_CLASSIC), offer.frame + HEADER);
    frame_header_put(offer.frame, (struct frame_header){HELLO_SIZE_PLAIN, FRAME_HELLO_J});
    return offer;
}

/* Puts `count` bytes into the offer at `at` of its body and corrects the frame's length. */
static void insert(struct offer *offer, size_t at, const void *data, size_t count)
{
    uint8_t *place = offer->frame + HEADER + at;
    memmove(place + count, place, offer->size - HEADER - at);
    if (data == NULL)
        memset(place, 0, count);
    else
        memcpy(place, data, count);
    offer->size += count;
    put_u32(offer->frame, (uint32_t)(offer->size - HEADER));
}

static void add_ek(struct offer *offer)
{
    put_u16(offer->frame + HEADER + 10, 3);
    put_u16(offer->frame + HEADER + 76, EK_SIZE);
    insert(offer, 78, NULL, EK_SIZE);
}

static void add_extensions(struct offer *offer, const void *data, size_t size)
{
    put_u16(offer->frame + offer->size - 2, (uint16_t)size);
    insert(offer, offer->size - HEADER, data, size);
}

/* A host hears the offer; `code` is what it must answer in the clear, or CLOSE_NORMAL for HELLO_H.
 */
static void expect_answer(const struct offer *offer, enum close_code code)
{
    struct frame_header header;
    struct span body;
    puppet_init(&puppet, SESSION_JOINER, PUPPET_HELLO);
    puppet_send_bytes(&puppet, SPAN(offer->frame, offer->size));
    if (code != CLOSE_NORMAL) {
        puppet_expect_clear_alert(&puppet, code);
    } else {
        assert_true(puppet_hear(&puppet, &header, &body));
        assert_int_equal(header.type, FRAME_HELLO_H);
        assert_int_equal(get_u16(body.data + 10), 1);
    }
    puppet_deinit(&puppet);
}

static void test_offers_of_later_programs_are_accepted(void **state)
{
    static const uint8_t extensions[] = {0, 1, 0, 0, 0, 9, 0, 3, 'a', 'b', 'c', 0xff, 0xff, 0, 0};
    struct offer plain = make_offer(), with_ek = make_offer(), extended = make_offer();
    struct offer newer = make_offer(), suites = make_offer(), full = make_offer();
    (void)state;
    expect_answer(&plain, CLOSE_NORMAL);
    add_ek(&with_ek);
    expect_answer(&with_ek, CLOSE_NORMAL);
    add_extensions(&with_ek, extensions, sizeof(extensions));
    expect_answer(&with_ek, CLOSE_NORMAL);
    add_extensions(&extended, extensions, sizeof(extensions));
    expect_answer(&extended, CLOSE_NORMAL);
    newer.frame[HEADER + 9] = 7;
    expect_answer(&newer, CLOSE_NORMAL);
    put_u16(suites.frame + HEADER + 10, 0xfffd);
    expect_answer(&suites, CLOSE_NORMAL);
    add_extensions(&full, NULL, 512);
    put_u16(full.frame + HEADER + 82, 508);
    expect_answer(&full, CLOSE_NORMAL);
}

static void test_unknown_versions_and_suites_are_unsupported(void **state)
{
    struct offer version = make_offer(), none = make_offer(), unknown = make_offer();
    struct offer only_second = make_offer();
    (void)state;
    version.frame[HEADER + 8] = version.frame[HEADER + 9] = 2;
    expect_answer(&version, CLOSE_UNSUPPORTED);
    put_u16(none.frame + HEADER + 10, 0);
    expect_answer(&none, CLOSE_UNSUPPORTED);
    put_u16(unknown.frame + HEADER + 10, 0xfffc);
    expect_answer(&unknown, CLOSE_UNSUPPORTED);
    add_ek(&only_second);
    put_u16(only_second.frame + HEADER + 10, 2);
    expect_answer(&only_second, CLOSE_UNSUPPORTED);
}

static void test_malformed_offers_are_protocol_errors(void **state)
{
    static const uint8_t repeated[] = {0, 5, 0, 0, 0, 5, 0, 0};
    static const uint8_t descending[] = {0, 5, 0, 0, 0, 4, 0, 0};
    static const uint8_t overrunning[] = {0, 5, 0, 2, 1};
    static const uint8_t torn[] = {0, 5, 0};
    struct offer offer;
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        offer = make_offer();
        offer.frame[HEADER + i] ^= 0x20;
        expect_answer(&offer, CLOSE_PROTOCOL_ERROR);
    }
    offer = make_offer();
    offer.frame[HEADER + 8] = 0;
    expect_answer(&offer, CLOSE_PROTOCOL_ERROR);
    offer = make_offer();
    offer.frame[HEADER + 8] = 2;
    expect_answer(&offer, CLOSE_PROTOCOL_ERROR);

    offer = make_offer();
    put_u16(offer.frame + HEADER + 10, 3);
    expect_answer(&offer, CLOSE_PROTOCOL_ERROR);
    offer = make_offer();
    add_ek(&offer);
    put_u16(offer.frame + HEADER + 10, 1);
    expect_answer(&offer, CLOSE_PROTOCOL_ERROR);
    offer = make_offer();
    add_ek(&offer);
    put_u16(offer.frame + HEADER + 76, EK_SIZE - 1);
    expect_answer(&offer, CLOSE_PROTOCOL_ERROR);

    offer = make_offer();
    add_extensions(&offer, repeated, sizeof(repeated));
    expect_answer(&offer, CLOSE_PROTOCOL_ERROR);
    offer = make_offer();
    add_extensions(&offer, descending, sizeof(descending));
    expect_answer(&offer, CLOSE_PROTOCOL_ERROR);
    offer = make_offer();
    add_extensions(&offer, overrunning, sizeof(overrunning));
    expect_answer(&offer, CLOSE_PROTOCOL_ERROR);
    offer = make_offer();
    add_extensions(&offer, torn, sizeof(torn));
    expect_answer(&offer, CLOSE_PROTOCOL_ERROR);
    offer = make_offer();
    add_extensions(&offer, NULL, 513);
    expect_answer(&offer, CLOSE_PROTOCOL_ERROR);
    offer = make_offer();
    put_u16(offer.frame + HEADER + 78, 1);
    expect_answer(&offer, CLOSE_PROTOCOL_ERROR);
}

static void test_hellos_of_wrong_length_are_refused_by_their_header(void **state)
{
    static const uint32_t lengths[] = {0, 1, 79, 593, 1263, 1777, 2048};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        uint8_t header[HEADER];
        puppet_init(&puppet, SESSION_JOINER, PUPPET_HELLO);
        frame_header_put(header, (struct frame_header){lengths[i], FRAME_HELLO_J});
        puppet_send_bytes(&puppet, SPAN(header, HEADER));
        puppet_expect_clear_alert(&puppet, CLOSE_PROTOCOL_ERROR);
        puppet_deinit(&puppet);
    }
    /* Lengths that may be right are judged by the content. */
    struct offer offer = make_offer();

    insert(&offer, HELLO_SIZE_PLAIN, NULL, 1);
    expect_answer(&offer, CLOSE_PROTOCOL_ERROR);
}

static void test_what_is_no_hello_gets_no_answer(void **state)
{
    static const char banners[][HEADER + 1] = {
        "GET /",                /* HTTP */
        "SSH-2",                /* SSH */
        "\x16\x03\x01\x02\x00", /* TLS */
        "\xff\xff\xff\xff\x01",
        "\xff\xff\xff\xff\x10",
        "\x01\x01\x01\x01\x08",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(banners); i++) {
        puppet_init(&puppet, SESSION_JOINER, PUPPET_HELLO);
        puppet_send_bytes(&puppet, SPAN(banners[i], HEADER));
        puppet_expect_silence(&puppet, CLOSE_PROTOCOL_ERROR);
        puppet_deinit(&puppet);
    }
    for (unsigned type = 0; type <= 0xff; type++) {
        const uint8_t header[HEADER] = {0, 0, 0, HELLO_SIZE_PLAIN, (uint8_t)type};
        if (type == FRAME_HELLO_J)
            continue;
        puppet_init(&puppet, SESSION_JOINER, PUPPET_HELLO);
        puppet_send_bytes(&puppet, SPAN(header, HEADER));
        puppet_expect_silence(&puppet, CLOSE_PROTOCOL_ERROR);
        puppet_deinit(&puppet);
    }
}

/* 0, 1, two points of order 8, p - 1, and encodings of 0 and 1 that are not below p. */
static const uint8_t low_order[][KEYX_SIZE] = {
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
     0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
     0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
     0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
     0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

static void test_points_of_low_order_fail_the_handshake(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(low_order); i++) {
        struct offer offer = make_offer();
        memcpy(offer.frame + HEADER + 44, low_order[i], KEYX_SIZE);
        expect_answer(&offer, CLOSE_HANDSHAKE_FAILED);

        puppet_init(&puppet, SESSION_HOST, PUPPET_HELLO);
        memcpy(puppet.out.data + HEADER + 44, low_order[i], KEYX_SIZE);
        puppet_send(&puppet);
        puppet_expect_silence(&puppet, CLOSE_HANDSHAKE_FAILED);
        puppet_deinit(&puppet);
    }
}

static void test_joiner_accepts_only_what_it_offered(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {{8, 0}, {8, 2}, {9, 1}, {10, 1}, {11, 0}, {11, 2}, {76, 4}, {77, 1}, {0, 'P'}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        puppet_init(&puppet, SESSION_HOST, PUPPET_HELLO);
        puppet.out.data[HEADER + changes[i].at] = changes[i].value;
        puppet_send(&puppet);
        puppet_expect_silence(&puppet, CLOSE_PROTOCOL_ERROR);
        puppet_deinit(&puppet);
    }
}

static void test_reflected_random_or_key_ends_silently(void **state)
{
    (void)state;
    for (size_t at = 12; at <= 44; at += 32) {
        puppet_init(&puppet, SESSION_HOST, PUPPET_HELLO);
        memcpy(puppet.out.data + HEADER + at,
               at == 12 ? puppet.victim.session->handshake->hello.random
                        : puppet.victim.session->handshake->hello.share,
               32);
        puppet_send(&puppet);
        puppet_expect_silence(&puppet, CLOSE_PROTOCOL_ERROR);
        puppet_deinit(&puppet);
    }
}

static void test_joiner_that_hears_a_joiner_ends_silently(void **state)
{
    struct offer offer = make_offer();
    (void)state;
    puppet_init(&puppet, SESSION_HOST, PUPPET_HELLO);
    puppet_send_bytes(&puppet, SPAN(offer.frame, offer.size));
    puppet_expect_silence(&puppet, CLOSE_PROTOCOL_ERROR);
    puppet_deinit(&puppet);
}

static void test_clear_alert_in_place_of_hello_ends_the_try(void **state)
{
    (void)state;
    for (unsigned code = 0; code <= 0xff; code++) {
        const uint8_t alert[] = {0, 0, 0, 1, FRAME_ALERT, (uint8_t)code};
        const struct session_event *event;
        puppet_init(&puppet, SESSION_HOST, PUPPET_HELLO);
        puppet_send_bytes(&puppet, SPAN(alert, sizeof(alert)));
        event = party_last(&puppet.victim, SESSION_ENDED);
        assert_true(event->by_peer);
        assert_int_equal(event->code, close_code_from_wire((uint8_t)code));
        assert_false(session_has_output(puppet.victim.session));
        puppet_deinit(&puppet);
    }
}

/* A man in the middle changes one byte of either HELLO: the sides never agree on a transcript. */
static void test_every_changed_byte_of_a_hello_is_noticed(void **state)
{
    (void)state;
    for (size_t at = HEADER; at < HEADER + HELLO_SIZE_PLAIN; at++) {
        puppet_init(&puppet, SESSION_JOINER, PUPPET_HELLO);
        puppet.out.data[at] ^= 0x80;
        puppet_send(&puppet);
        if (session_phase(puppet.victim.session) != SESSION_CLOSED) {
            struct frame_header header;
            struct span body;
            assert_true(puppet_hear(&puppet, &header, &body));
            if (handshake_take(puppet.handshake, header, body, &puppet.out) == 0)
                puppet_send(&puppet);
        }
        assert_int_equal(party_count(&puppet.victim, SESSION_IDENTIFIED), 0);
        if (at >= HEADER + 12 && at < HEADER + 44)
            assert_int_equal(party_last(&puppet.victim, SESSION_ENDED)->code,
                             CLOSE_HANDSHAKE_FAILED);
        puppet_deinit(&puppet);
    }
    for (size_t at = HEADER; at < HEADER + HELLO_SIZE_PLAIN; at++) {
        struct frame_header header;
        struct span body;
        puppet_init(&puppet, SESSION_HOST, PUPPET_HELLO);
        puppet.out.data[at] ^= 0x80;
        puppet_send(&puppet);
        if (puppet_hear(&puppet, &header, &body)) {
            assert_int_equal(handshake_judge(puppet.handshake, header), 0);
            assert_int_equal(handshake_take(puppet.handshake, header, body, &puppet.out),
                             CLOSE_HANDSHAKE_FAILED);
        }
        puppet_deinit(&puppet);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offers_of_later_programs_are_accepted),
        cmocka_unit_test(test_unknown_versions_and_suites_are_unsupported),
        cmocka_unit_test(test_malformed_offers_are_protocol_errors),
        cmocka_unit_test(test_hellos_of_wrong_length_are_refused_by_their_header),
        cmocka_unit_test(test_what_is_no_hello_gets_no_answer),
        cmocka_unit_test(test_points_of_low_order_fail_the_handshake),
        cmocka_unit_test(test_joiner_accepts_only_what_it_offered),
        cmocka_unit_test(test_reflected_random_or_key_ends_silently),
        cmocka_unit_test(test_joiner_that_hears_a_joiner_ends_silently),
        cmocka_unit_test(test_clear_alert_in_place_of_hello_ends_the_try),
        cmocka_unit_test(test_every_changed_byte_of_a_hello_is_noticed),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
