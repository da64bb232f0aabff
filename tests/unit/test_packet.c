/* SPDX-License-Identifier: ISC */
/*
 * Packets by themselves: every bit is protected, every size is what its content needs.
 */
#include <string.h>

#include "crypto/crypto.h"
#include "proto/frame.h"
#include "proto/packet.h"
#include "unit/cmocka_all.h"
#include "vectors/vectors.h"

static struct identity *self;
static uint8_t sid[SHA256_SIZE] = {7};
static const struct packet_sender sender = {.sid = sid, .role = SESSION_JOINER};
static struct bytes packet;
static struct bytes body;

static struct chain first_chain(void)
{
    return (struct chain){.key = {{1, 2, 3}}, .epoch = 5, .counter = 77};
}

static int seal(size_t records_size)
{
    static uint8_t records[131072];
    struct chain chain = first_chain();
    memset(records, 0x11, sizeof(records));
    bytes_clear(&packet);
    return packet_seal(&chain, self, sender, SPAN(records, records_size), &packet);
}

static int open_body(struct packet_sender from)
{
    struct chain chain = first_chain();
    struct span records;
    return packet_open(&chain, identity_pubkey(self), from, &body, &records);
}

static void take_body(void)
{
    bytes_clear(&body);
    assert_int_equal(
        bytes_append(&body, packet.data + FRAME_HEADER_SIZE, packet.size - FRAME_HEADER_SIZE), 0);
}

static void test_packet_opens_to_its_records(void **state)
{
    struct chain sending = first_chain(), receiving = first_chain();
    struct span records;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        bytes_clear(&packet);
        assert_int_equal(packet_seal(&sending, self, sender, SPAN("records", 7), &packet), 0);
        assert_int_equal(packet.size, FRAME_HEADER_SIZE + FRAME_PACKET_OVERHEAD + 1024);
        take_body();
        assert_int_equal(packet_open(&receiving, identity_pubkey(self), sender, &body, &records),
                         0);
        assert_int_equal(records.size, 7);
        assert_memory_equal(records.data, "records", 7);
    }
    assert_int_equal(sending.counter, 80);
    assert_int_equal(receiving.counter, 80);
    assert_memory_equal(sending.key.bytes, receiving.key.bytes, SECRET_SIZE);
    assert_memory_not_equal(sending.key.bytes, first_chain().key.bytes, SECRET_SIZE);
}

static void test_every_flipped_bit_is_rejected(void **state)
{
    (void)state;
    assert_int_equal(seal(100), 0);
    for (size_t bit = 0; bit < 8 * (packet.size - FRAME_HEADER_SIZE); bit++) {
        take_body();
        body.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(open_body(sender), PACKET_REJECTED);
    }
    take_body();
    assert_int_equal(open_body(sender), 0);
}

static void test_signature_is_bound_to_session_and_role(void **state)
{
    uint8_t other_sid[SHA256_SIZE] = {8};
    (void)state;
    assert_int_equal(seal(100), 0);
    take_body();
    assert_int_equal(open_body((struct packet_sender){.sid = other_sid, .role = SESSION_JOINER}),
                     PACKET_REJECTED);
    take_body();
    assert_int_equal(open_body((struct packet_sender){.sid = sid, .role = SESSION_HOST}),
                     PACKET_REJECTED);
}

static void test_payload_is_the_smallest_power_of_two_that_fits(void **state)
{
    (void)state;
    for (size_t payload = 1024; payload <= 65536; payload *= 2) {
        assert_int_equal(seal(payload - 256 - 4), 0);
        assert_int_equal(packet.size, FRAME_HEADER_SIZE + FRAME_PACKET_OVERHEAD + payload);
        take_body();
        assert_int_equal(open_body(sender), 0);
        assert_int_equal(seal(payload - 256 - 4 + 1), 0);
        assert_int_equal(packet.size, FRAME_HEADER_SIZE + FRAME_PACKET_OVERHEAD + 2 * payload);
        take_body();
        assert_int_equal(open_body(sender), 0);
    }
    assert_int_equal(packet_room(65536, 256), 65536 - 256 - 4);
}

static void test_records_shorter_than_a_header_are_rejected(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 5; size++) {
        assert_int_equal(seal(size), 0);
        take_body();
        assert_int_equal(open_body(sender), size == 5 ? 0 : PACKET_REJECTED);
    }
}

static int setup(void **state)
{
    (void)state;
    if (crypto_init() != 0)
        return -1;
    self = vector_identity("joiner_rsa_pkcs1_private");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    identity_free(self);
    bytes_deinit(&packet);
    bytes_deinit(&body);
    crypto_deinit();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packet_opens_to_its_records),
        cmocka_unit_test(test_every_flipped_bit_is_rejected),
        cmocka_unit_test(test_signature_is_bound_to_session_and_role),
        cmocka_unit_test(test_payload_is_the_smallest_power_of_two_that_fits),
        cmocka_unit_test(test_records_shorter_than_a_header_are_rejected),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
