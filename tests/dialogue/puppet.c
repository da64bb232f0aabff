/* SPDX-License-Identifier: ISC */
/*
 * The puppet: the modules of the protocol without the state machine that keeps them honest.
 */
#include "dialogue/puppet.h"

#include <string.h>

#include "crypto/aead.h"
#include "proto/ident.h"
#include "unit/cmocka_all.h"

static struct bytes scratch;

/* Moves the handshake on by the victim's next frame. */
static void respond(struct puppet *puppet)
{
    struct handshake *handshake = puppet->handshake;
    struct epoch_secrets secrets;
    struct frame_header header;
    struct span body;
    assert_true(puppet_hear(puppet, &header, &body));
    assert_int_equal(handshake_judge(handshake, header), 0);
    assert_int_equal(handshake_take(handshake, header, body, &puppet->out), 0);
    if (header.type == FRAME_HELLO_J)
        memcpy(puppet->t2, handshake->hash, SHA256_SIZE);
    if (handshake_asks_admission(handshake))
        assert_int_equal(handshake_admit(handshake, true, &puppet->out), 0);
    if (handshake_asks_establishment(handshake)) {
        assert_int_equal(handshake_finish(handshake, &puppet->out, puppet->sid, &secrets), 0);
        epoch_begin(&puppet->epoch, puppet->role, handshake_suite(handshake), &secrets,
                    puppet->now_ms);
        puppet->established = true;
    }
}

void puppet_init(struct puppet *puppet, enum session_role role, unsigned frame)
{
    const struct session_settings settings = {
        .role = role, .self = party_identity(role), .suites = party_suites};
    enum session_role other = session_role_other(role);
    memset(puppet, 0, sizeof(*puppet));
    puppet->role = role;
    puppet->now_ms = RIG_START_MS;
    party_init(&puppet->victim, other, puppet->now_ms);
    assert_int_equal(handshake_new(&puppet->handshake, &settings, &puppet->out), 0);
    if (role == SESSION_HOST)
        respond(puppet);
    for (unsigned i = 0; i < frame; i++) {
        puppet_send(puppet);
        if (i == 0 && role == SESSION_JOINER)
            memcpy(puppet->t2, puppet->victim.session->handshake->hash, SHA256_SIZE);
        if (!puppet->established)
            respond(puppet);
    }
    if (frame == PUPPET_PACKETS) {
        assert_true(puppet->established);
        assert_int_equal(session_phase(puppet->victim.session), SESSION_OPEN);
        assert_int_equal(puppet->out.size, 0);
    }
}

void puppet_deinit(struct puppet *puppet)
{
    handshake_free(puppet->handshake);
    party_deinit(&puppet->victim);
    bytes_deinit(&puppet->out);
    bytes_deinit(&puppet->heard);
    bytes_deinit(&scratch);
}

void puppet_send_bytes(struct puppet *puppet, struct span data)
{
    party_hear(&puppet->victim, data, 0, puppet->now_ms);
}

void puppet_send(struct puppet *puppet)
{
    puppet_send_bytes(puppet, bytes_span(&puppet->out));
    bytes_clear(&puppet->out);
}

size_t puppet_unseal(struct puppet *puppet, uint8_t *plaintext)
{
    struct seal seal = {.key = puppet->handshake->sending.key};
    struct span body =
        SPAN(puppet->out.data + FRAME_HEADER_SIZE, puppet->out.size - FRAME_HEADER_SIZE);
    seal.count = puppet->handshake->sending.count - 1;
    assert_int_equal(seal_open(&seal, frame_header_get(puppet->out.data), body, plaintext), 0);
    return body.size - AEAD_TAG_SIZE;
}

void puppet_reseal(struct puppet *puppet, struct span plaintext)
{
    enum frame_type type = frame_header_get(puppet->out.data).type;
    puppet->handshake->sending.count--;
    bytes_clear(&puppet->out);
    assert_int_equal(seal_frame(&puppet->handshake->sending, type, plaintext, &puppet->out), 0);
}

void puppet_sign(struct puppet *puppet, enum signature_purpose purpose, const uint8_t *transcript,
                 uint8_t *plaintext, size_t prefix_size)
{
    const struct span parts[] = {SPAN(transcript, SHA256_SIZE), SPAN(plaintext, prefix_size)};
    assert_int_equal(
        identity_sign(party_identity(puppet->role), purpose, parts, 2, plaintext + prefix_size), 0);
}

void puppet_send_records(struct puppet *puppet, struct span records)
{
    const struct packet_sender sender = {.sid = puppet->sid, .role = puppet->role};
    assert_int_equal(packet_seal(&puppet->epoch.sending, party_identity(puppet->role), sender,
                                 records, &puppet->out),
                     0);
    puppet_send(puppet);
}

void puppet_send_record(struct puppet *puppet, enum record_type type, const void *body, size_t size)
{
    struct bytes records = {0};
    assert_int_equal(record_append(&records, type, SPAN(body, size)), 0);
    puppet_send_records(puppet, bytes_span(&records));
    bytes_deinit(&records);
}

bool puppet_hear(struct puppet *puppet, struct frame_header *header, struct span *body)
{
    size_t size;
    party_speak(&puppet->victim, puppet->now_ms);
    assert_int_equal(
        bytes_append(&puppet->heard, puppet->victim.sent.data, puppet->victim.sent.size), 0);
    bytes_clear(&puppet->victim.sent);
    if (puppet->heard.size == 0)
        return false;
    assert_true(puppet->heard.size >= FRAME_HEADER_SIZE);
    *header = frame_header_get(puppet->heard.data);
    size = FRAME_HEADER_SIZE + header->length;
    assert_true(puppet->heard.size >= size);
    bytes_clear(&scratch);
    bytes_append(&scratch, puppet->heard.data, size);
    bytes_consume(&puppet->heard, size);
    *body = SPAN(scratch.data + FRAME_HEADER_SIZE, header->length);
    return true;
}

struct span puppet_hear_records(struct puppet *puppet)
{
    enum session_role other = session_role_other(puppet->role);
    const struct packet_sender sender = {.sid = puppet->sid, .role = other};
    struct frame_header header;
    struct span body, records;
    assert_true(puppet_hear(puppet, &header, &body));
    assert_int_equal(header.type, FRAME_PACKET);
    bytes_consume(&scratch, FRAME_HEADER_SIZE);
    assert_int_equal(packet_open(&puppet->epoch.receiving, identity_pubkey(party_identity(other)),
                                 sender, &scratch, &records),
                     0);
    return records;
}

static void expect_end(struct puppet *puppet, enum close_code code)
{
    const struct session_event *event;
    party_listen(&puppet->victim, puppet->now_ms);
    event = party_last(&puppet->victim, SESSION_ENDED);
    assert_int_equal(event->code, code);
    assert_false(event->by_peer);
    assert_int_equal(session_phase(puppet->victim.session), SESSION_CLOSED);
}

void puppet_expect_silence(struct puppet *puppet, enum close_code code)
{
    struct frame_header header;
    struct span body;
    expect_end(puppet, code);
    assert_false(puppet_hear(puppet, &header, &body));
}

void puppet_expect_clear_alert(struct puppet *puppet, enum close_code code)
{
    struct frame_header header;
    struct span body;
    expect_end(puppet, code);
    assert_true(puppet_hear(puppet, &header, &body));
    assert_int_equal(header.type, FRAME_ALERT);
    assert_int_equal(header.length, FRAME_CLEAR_ALERT_SIZE);
    assert_int_equal(body.data[0], code);
    assert_false(puppet_hear(puppet, &header, &body));
}

void puppet_expect_alert(struct puppet *puppet, enum close_code code)
{
    struct frame_header header;
    enum close_code heard;
    struct span body;
    expect_end(puppet, code);
    assert_true(puppet_hear(puppet, &header, &body));
    assert_int_equal(header.type, FRAME_ALERT);
    assert_int_equal(header.length, FRAME_SEALED_ALERT_SIZE);
    assert_int_equal(handshake_take_alert(puppet->handshake, header, body, &heard), 0);
    assert_int_equal(heard, code);
    assert_false(puppet_hear(puppet, &header, &body));
}

void puppet_expect_close(struct puppet *puppet, enum close_code code)
{
    struct frame_header header;
    struct record record = {0};
    struct reader reader;
    struct span body;
    expect_end(puppet, code);
    do {
        reader = reader_of(puppet_hear_records(puppet));
        while (record_next(&reader, &record))
            ;
    } while (puppet->heard.size > 0);
    assert_int_equal(record.type, RECORD_CLOSE);
    assert_int_equal(record.body.data[0], code);
    assert_false(puppet_hear(puppet, &header, &body));
}
