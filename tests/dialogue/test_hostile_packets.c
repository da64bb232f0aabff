/* SPDX-License-Identifier: ISC */
/*
 * Cheating inside an established session: packets that were changed, repeated or moved, made by a
 * thief of the session's keys, or sealed properly around nonsense.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/aead.h"
#include "dialogue/puppet.h"
#include "unit/cmocka_all.h"

static struct puppet puppet;

enum { HEADER = FRAME_HEADER_SIZE, NONCE = 16, MODULUS = 256, PAYLOAD = 1024 };

static const enum session_role roles[] = {SESSION_JOINER, SESSION_HOST};

static void begin(enum session_role role)
{
    puppet_init(&puppet, role, PUPPET_PACKETS);
    puppet.victim.event_count = 0;
}

/* Seals a packet with one PING into puppet.out. */
static void prepare_ping(void)
{
    static const uint8_t record[] = {0, 0, 0, 8, RECORD_PING, 0, 0, 0, 0, 0, 0, 0, 9};
    const struct packet_sender sender = {.sid = puppet.sid, .role = puppet.role};
    assert_int_equal(packet_seal(&puppet.epoch.sending, party_identity(puppet.role), sender,
                                 SPAN(record, sizeof(record)), &puppet.out),
                     0);
}

/* The packet in puppet.out must end the session, with nothing of it applied. */
static void expect_rejection(void)
{
    puppet_send(&puppet);
    puppet_expect_close(&puppet, CLOSE_PROTOCOL_ERROR);
    assert_int_equal(puppet.victim.event_count, 1);
    puppet_deinit(&puppet);
}

static void test_every_part_of_a_packet_is_protected(void **state)
{
    (void)state;
    for (size_t r = 0; r < COUNT_OF(roles); r++) {
        for (size_t at = 4; at < HEADER + NONCE + PAYLOAD + AEAD_TAG_SIZE;
             at += at < HEADER + NONCE ? 1 : 23) {
            begin(roles[r]);
            prepare_ping();
            puppet.out.data[at] ^= (uint8_t)(1 << at % 8);
            expect_rejection();
        }
    }
}

static void test_wrong_lengths_are_refused_before_the_body(void **state)
{
    static const uint32_t payloads[] = {0,    1,     512,    1023,   1025,   1536,
                                        3072, 65535, 131071, 131073, 262144, UINT32_MAX - 32};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        uint8_t header[HEADER];
        begin(SESSION_JOINER);
        frame_header_put(header, (struct frame_header){payloads[i] + 32, FRAME_PACKET});
        puppet_send_bytes(&puppet, SPAN(header, HEADER));
        assert_true(puppet.victim.session->body.capacity <= FRAME_HANDSHAKE_MAX);
        puppet_expect_close(&puppet, CLOSE_PROTOCOL_ERROR);
        puppet_deinit(&puppet);
    }
}

static void test_only_packets_are_accepted(void **state)
{
    (void)state;
    for (unsigned type = 0; type <= 0xff; type++) {
        const uint8_t header[HEADER] = {0, 0, 4, 32, (uint8_t)type};
        if (type == FRAME_PACKET)
            continue;
        begin(roles[type % 2]);
        puppet_send_bytes(&puppet, SPAN(header, HEADER));
        puppet_expect_close(&puppet, CLOSE_PROTOCOL_ERROR);
        puppet_deinit(&puppet);
    }
}

static void test_replayed_packet_is_rejected(void **state)
{
    struct bytes copy = {0};
    (void)state;
    begin(SESSION_JOINER);
    prepare_ping();
    bytes_append(&copy, puppet.out.data, puppet.out.size);
    puppet_send(&puppet);
    assert_int_equal(puppet.victim.event_count, 0);
    bytes_append(&puppet.out, copy.data, copy.size);
    expect_rejection();
    bytes_deinit(&copy);
}

static void test_skipped_and_swapped_packets_are_rejected(void **state)
{
    (void)state;
    begin(SESSION_HOST);
    prepare_ping();
    bytes_clear(&puppet.out);
    prepare_ping();
    expect_rejection();
}

static void test_reflected_packet_is_rejected(void **state)
{
    struct frame_header header;
    struct span body;
    (void)state;
    for (size_t r = 0; r < COUNT_OF(roles); r++) {
        begin(roles[r]);
        session_ping(puppet.victim.session, 1, puppet.now_ms);
        assert_true(puppet_hear(&puppet, &header, &body));
        puppet.epoch.receiving.counter++;
        assert_int_equal(keyschedule_ratchet(&puppet.epoch.receiving.key, &(struct secret){{0}}),
                         0);
        bytes_append(&puppet.out, body.data - HEADER, body.size + HEADER);
        expect_rejection();
    }
}

static void test_packet_of_another_session_is_rejected(void **state)
{
    struct bytes other = {0};
    (void)state;
    begin(SESSION_JOINER);
    prepare_ping();
    bytes_append(&other, puppet.out.data, puppet.out.size);
    puppet_deinit(&puppet);
    begin(SESSION_JOINER);
    bytes_append(&puppet.out, other.data, other.size);
    expect_rejection();
    bytes_deinit(&other);
}

static void test_wrong_epoch_or_counter_is_rejected(void **state)
{
    (void)state;
    for (unsigned lie = 0; lie < 3; lie++) {
        begin(SESSION_JOINER);
        if (lie == 0)
            puppet.epoch.sending.epoch++;
        else if (lie == 1)
            puppet.epoch.sending.counter++;
        else
            puppet.epoch.sending.counter = UINT64_MAX;
        prepare_ping();
        expect_rejection();
    }
}

/* --- a thief of the session's keys ------------------------------------------------------------ */

/* Seals this signature and content with the right key of the next packet. */
static void seal_raw(const uint8_t *signature, const uint8_t *content)
{
    uint8_t plaintext[PAYLOAD];
    uint8_t *frame;
    struct secret key;
    memcpy(plaintext, signature, MODULUS);
    memcpy(plaintext + MODULUS, content, PAYLOAD - MODULUS);
    assert_int_equal(bytes_append_zeros(&puppet.out, HEADER + NONCE + PAYLOAD + AEAD_TAG_SIZE), 0);
    frame = puppet.out.data;
    frame_header_put(frame, (struct frame_header){PAYLOAD + 32, FRAME_PACKET});
    put_u32(frame + HEADER, puppet.epoch.sending.epoch);
    put_u64(frame + HEADER + 4, puppet.epoch.sending.counter++);
    put_u32(frame + HEADER + 12, 1);
    assert_int_equal(keyschedule_ratchet(&puppet.epoch.sending.key, &key), 0);
    assert_int_equal(aead_seal(&key, frame + HEADER, SPAN(frame, HEADER + NONCE),
                               SPAN(plaintext, PAYLOAD), frame + HEADER + NONCE),
                     0);
}

/* Signs content as anybody, in any role, for any counter. */
static void sign_raw(enum session_role signer, enum session_role role, uint64_t counter,
                     const uint8_t *content, uint8_t *signature)
{
    uint8_t nonce[NONCE] = {0}, role_byte = (uint8_t)role;
    const struct span parts[] = {SPAN(puppet.sid, SHA256_SIZE), SPAN(&role_byte, 1),
                                 SPAN(nonce, NONCE), SPAN(content, PAYLOAD - MODULUS)};
    put_u64(nonce + 4, counter);
    put_u32(nonce + 12, 1);
    assert_int_equal(identity_sign(party_identity(signer), SIGNATURE_PACKET, parts, 4, signature),
                     0);
}

static void test_only_the_senders_signature_for_this_packet_is_good(void **state)
{
    uint8_t content[PAYLOAD - MODULUS] = {0, 0, 0, 13, 0, 0, 0, 8, RECORD_PING};
    uint8_t signature[MODULUS] = {0};
    (void)state;
    for (unsigned lie = 0; lie < 5; lie++) {
        begin(SESSION_JOINER);
        switch (lie) {
        case 0: /* none at all */
            break;
        case 1: /* the receiver's own */
            sign_raw(SESSION_HOST, SESSION_JOINER, 0, content, signature);
            break;
        case 2: /* as the other role */
            sign_raw(SESSION_JOINER, SESSION_HOST, 0, content, signature);
            break;
        case 3: /* for another counter */
            sign_raw(SESSION_JOINER, SESSION_JOINER, 1, content, signature);
            break;
        default: /* the proof that this helper could do it right */
            sign_raw(SESSION_JOINER, SESSION_JOINER, 0, content, signature);
            break;
        }
        seal_raw(signature, content);
        if (lie < 4) {
            expect_rejection();
        } else {
            puppet_send(&puppet);
            assert_int_equal(session_phase(puppet.victim.session), SESSION_OPEN);
            puppet_deinit(&puppet);
        }
    }
}

static void test_wrong_sizes_and_padding_inside_are_rejected(void **state)
{
    static const uint32_t sizes[] = {0, 1, 4, PAYLOAD - MODULUS - 3, PAYLOAD, UINT32_MAX};
    uint8_t content[PAYLOAD - MODULUS], signature[MODULUS];
    (void)state;
    for (size_t i = 0; i <= COUNT_OF(sizes) + 1; i++) {
        memset(content, 0, sizeof(content));
        put_u32(content, 5);
        content[8] = 0x80;
        if (i < COUNT_OF(sizes))
            put_u32(content, sizes[i]);
        else
            content[i == COUNT_OF(sizes) ? 9 : sizeof(content) - 1] = 1;
        begin(SESSION_JOINER);
        sign_raw(SESSION_JOINER, SESSION_JOINER, 0, content, signature);
        seal_raw(signature, content);
        expect_rejection();
    }
}

static void test_data_after_close_is_discarded(void **state)
{
    (void)state;
    begin(SESSION_JOINER);
    puppet_send_record(&puppet, RECORD_CLOSE, "\x00", 1);
    assert_true(party_last(&puppet.victim, SESSION_ENDED)->by_peer);
    prepare_ping();
    puppet_send(&puppet);
    assert_int_equal(puppet.victim.event_count, 1);
    assert_false(session_has_output(puppet.victim.session));
    puppet_deinit(&puppet);
}

static void test_memory_of_a_large_packet_is_not_kept(void **state)
{
    struct bytes records = {0};
    (void)state;
    begin(SESSION_HOST);
    assert_int_equal(record_append(&records, 0xfe, SPAN("", 0)), 0);
    while (records.size < 120000)
        assert_int_equal(record_append(&records, 0xfe, SPAN("", 0)), 0);
    puppet_send_records(&puppet, bytes_span(&records));
    assert_int_equal(session_phase(puppet.victim.session), SESSION_OPEN);
    assert_int_equal(puppet.victim.event_count, 0);
    assert_int_equal(puppet.victim.session->body.capacity, 0);
    bytes_deinit(&records);
    puppet_deinit(&puppet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_part_of_a_packet_is_protected),
        cmocka_unit_test(test_wrong_lengths_are_refused_before_the_body),
        cmocka_unit_test(test_only_packets_are_accepted),
        cmocka_unit_test(test_replayed_packet_is_rejected),
        cmocka_unit_test(test_skipped_and_swapped_packets_are_rejected),
        cmocka_unit_test(test_reflected_packet_is_rejected),
        cmocka_unit_test(test_packet_of_another_session_is_rejected),
        cmocka_unit_test(test_wrong_epoch_or_counter_is_rejected),
        cmocka_unit_test(test_only_the_senders_signature_for_this_packet_is_good),
        cmocka_unit_test(test_wrong_sizes_and_padding_inside_are_rejected),
        cmocka_unit_test(test_data_after_close_is_discarded),
        cmocka_unit_test(test_memory_of_a_large_packet_is_not_kept),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
