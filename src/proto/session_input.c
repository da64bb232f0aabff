/* SPDX-License-Identifier: ISC */
/*
 * The way in: bytes become frames, frames become handshake steps or records, records become events.
 *
 * A packet's records are applied one by one, as the owner takes the events; until all are, nothing
 * more is read.
 */
#include <string.h>

#include "proto/message.h"
#include "proto/record_check.h"
#include "proto/session_state.h"

static bool has_event(const struct session *session)
{
    return session->end.type != SESSION_NOTHING || session->opened ||
           session->event.type != SESSION_NOTHING;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void fail(struct session *session, const char *detail)
{
    session_fail(session, CLOSE_PROTOCOL_ERROR, detail);
}

/* --- records ---------------------------------------------------------------------------------- */

static void apply_ping(struct session *session, struct span token)
{
    if (!pings_receive(&session->pings, session->input_ms))
        fail(session, "too many PINGs");
    else if (session_survives(session, record_append(&session->answers, RECORD_PONG, token)) &&
             session->answers.size > SESSION_ANSWERS_MAX)
        session_fail(session, CLOSE_SLOW_PEER, "answers are not taken");
}

static void apply_pong(struct session *session, struct span body)
{
    struct ping ping;
    uint64_t token = get_u64(body.data);
    if (!pings_answer(&session->pings, token, &ping))
        fail(session, "a PONG nobody asked for");
    else if (ping.asked)
        session->event = (struct session_event){.type = SESSION_PONG, .token = token};
}

static void apply_approve(struct session *session)
{
    if (session->approved_there) {
        fail(session, "approved twice");
        return;
    }
    session->approved_there = true;
    session_open_if_approved(session);
}

static void apply_ack(struct session *session, struct span body)
{
    const uint64_t ordinal = get_u64(body.data), first = session->window.acked + 1;
    if (!window_acknowledge(&session->window, ordinal, session->input_ms))
        fail(session, "an ACK of nothing in flight");
    else
        session->event =
            (struct session_event){.type = SESSION_ACKED, .ordinal = ordinal, .first = first};
    batch_acknowledged(&session->batch, ordinal, session->input_ms);
}

/* Its own record's type says what an item is that is no message. */
static void apply_item(struct session *session, const struct record *record)
{
    struct session_event event = {.type = SESSION_ITEM, .ordinal = ++session->items_received};
    /* It was judged with the other records of its packet. */
    if (record->type == RECORD_MESSAGE)
        message_parse(record->body, session_features(session), &event.item);
    else
        item_parse(record->type, record->body, &event.item);
    session->epoch.items_flowed = true;
    session->event = event;
}

static void apply_rekey(struct session *session, const struct record *record)
{
    struct epoch *epoch = &session->epoch;
    uint64_t now_ms = session->input_ms;
    int r;
    if (record->type == RECORD_REKEY_INIT)
        r = epoch_take_init(epoch, record->whole, now_ms);
    else if (record->type == RECORD_REKEY_RESP)
        r = epoch_take_resp(epoch, record->whole, now_ms);
    else
        r = epoch_take_done(epoch, now_ms);

    if (r == EPOCH_REJECTED)
        fail(session, "a wrong step of a rekey");
    else if (session_survives(session, r) && record->type != RECORD_REKEY_INIT)
        session->event =
            (struct session_event){.type = SESSION_REKEYED, .epoch = epoch->receiving.epoch};
}

static void apply_lane(struct session *session, const struct record *record)
{
    if (session->phase != SESSION_OPEN)
        fail(session, "a lane before both sides approved");
    else
        session->event = (struct session_event){.type = SESSION_LANE, .lane = record->whole};
}

static void apply_told(struct session *session, const struct record *record)
{
    if (session->phase != SESSION_OPEN)
        fail(session, "addresses before both sides approved");
    else
        session->event = (struct session_event){.type = SESSION_TOLD, .told = record->body};
}

static void apply_instance(struct session *session, const struct record *record)
{
    if (session->phase != SESSION_OPEN)
        fail(session, "an instance before both sides approved");
    else if (session->instance_heard)
        fail(session, "a second instance");
    else
        session->event = (struct session_event){.type = SESSION_INSTANCE, .instance = record->body};
    session->instance_heard = true;
}

static void apply_cloned(struct session *session, const struct record *record)
{
    const uint8_t *body = record->body.data;
    if (session->phase != SESSION_OPEN)
        fail(session, "news of a clone before both sides approved");
    else
        session->event = (struct session_event){.type = SESSION_CLONED,
                                                .instance = SPAN(body, INSTANCE_SIZE),
                                                .other = SPAN(body + INSTANCE_SIZE, INSTANCE_SIZE)};
}

static void apply(struct session *session, const struct record *record)
{
    switch (record->type) {
    case RECORD_PING:
        apply_ping(session, record->body);
        break;
    case RECORD_PONG:
        apply_pong(session, record->body);
        break;
    case RECORD_CLOSE:
        session_end(session, close_code_from_wire(record->body.data[0]), true, NULL);
        break;
    case RECORD_APPROVE:
        apply_approve(session);
        break;
    case RECORD_REKEY_WANT:
        session->epoch.wanted = true;
        break;
    case RECORD_REKEY_INIT:
    case RECORD_REKEY_RESP:
    case RECORD_REKEY_DONE:
        apply_rekey(session, record);
        break;
    case RECORD_ACK:
    case RECORD_MESSAGE:
    case RECORD_FILE_OFFER:
    case RECORD_FILE_STATE:
        if (session->phase != SESSION_OPEN)
            fail(session, "items before both sides approved");
        else if (record->type == RECORD_ACK)
            apply_ack(session, record->body);
        else
            apply_item(session, record);
        break;
    case RECORD_LANE_WANT:
    case RECORD_LANE_OFFER:
    case RECORD_LANE_FAILED:
    case RECORD_LANE_KEY:
        apply_lane(session, record);
        break;
    case RECORD_INSTANCE:
        apply_instance(session, record);
        break;
    case RECORD_CLONED:
        apply_cloned(session, record);
        break;
    case RECORD_ADDRESSES:
        apply_told(session, record);
        break;
    default:
        break;
    }
}

/* Applies records until one of them is an event. The memory of a packet is not kept. */
static void apply_records(struct session *session)
{
    struct record record;
    bool applied = false;
    while (!has_event(session) && record_next(&session->records, &record)) {
        apply(session, &record);
        applied = true;
    }
    if (has_event(session) || session->records.left > 0)
        return;
    if (session->header_size == 0)
        bytes_deinit(&session->body);
    if (applied)
        session_check_epoch(session, session->input_ms);
}

/* --- frames ----------------------------------------------------------------------------------- */

static void take_packet(struct session *session)
{
    const struct packet_sender sender = {
        .sid = session->sid,
        .role = session_role_other(session->role),
    };
    struct span records;
    int r = packet_open(&session->epoch.receiving, session->peer, sender, &session->body, &records);
    if (r == PACKET_REJECTED) {
        fail(session, "not the packet that had to come next");
        return;
    }
    if (!session_survives(session, r))
        return;
    r = record_check(records, sender.role, session->suite, session_features(session));
    if (r == RECORD_UNSUPPORTED)
        session_fail(session, CLOSE_UNSUPPORTED_RECORD, "an unknown critical record");
    else if (r == RECORD_BAD_ITEM)
        session_fail(session, CLOSE_BAD_ITEM, "an item that can't be taken");
    else if (r != 0)
        fail(session, "malformed records");
    else
        session->records = reader_of(records);
}

static void ask_admission(struct session *session)
{
    session->invite = *handshake_invite(session->handshake);
    session->suite = handshake_suite(session->handshake);
    session->peer_features = handshake_peer_features(session->handshake);
    session->question = QUESTION_ADMIT;
    session->event = (struct session_event){.type = SESSION_IDENTIFIED};
}

/* A joiner has its keys already, so that its owner's no can be told in a packet. */
static void ask_establishment(struct session *session)
{
    session->approved_there = handshake_approved_there(session->handshake);
    if (session->role == SESSION_JOINER &&
        !session_survives(session, session_take_keys(session, session->input_ms)))
        return;
    session->question = QUESTION_ESTABLISH;
    session->event = (struct session_event){.type = SESSION_CONFIRMED};
}

static void take_handshake_frame(struct session *session, struct frame_header header)
{
    struct handshake *handshake = session->handshake;
    struct span body = bytes_span(&session->body);
    enum close_code code;
    if (header.type == FRAME_ALERT) {
        if (session_survives(session, handshake_take_alert(handshake, header, body, &code)))
            session_end(session, code, true, NULL);
        return;
    }
    if (!session_survives(session, handshake_take(handshake, header, body, &session->ready)))
        return;
    if (handshake_asks_admission(handshake))
        ask_admission(session);
    else if (handshake_asks_establishment(handshake))
        ask_establishment(session);
}

static void judge_header(struct session *session)
{
    struct frame_header header = frame_header_get(session->header);
    if (session->handshake != NULL) {
        if (!session_survives(session, handshake_judge(session->handshake, header)))
            return;
    } else if (!frame_acceptable(header, FRAME_PACKET, 0)) {
        fail(session, "unexpected frame");
        return;
    }
    bytes_clear(&session->body);
    session_survives(session, bytes_reserve(&session->body, header.length));
}

static size_t take_header(struct session *session, struct span data)
{
    size_t count = smaller(FRAME_HEADER_SIZE - session->header_size, data.size);
    memcpy(session->header + session->header_size, data.data, count);
    session->header_size += count;
    if (session->header_size == FRAME_HEADER_SIZE)
        judge_header(session);
    return count;
}

static size_t take_body(struct session *session, struct span data)
{
    struct frame_header header = frame_header_get(session->header);
    size_t count = smaller(header.length - session->body.size, data.size);
    if (!session_survives(session, bytes_append(&session->body, data.data, count)) ||
        session->body.size < header.length)
        return count;
    session->header_size = 0;
    if (session->handshake != NULL)
        take_handshake_frame(session, header);
    else
        take_packet(session);
    return count;
}

size_t session_input(struct session *session, struct span data, uint64_t now_ms)
{
    size_t used = 0;
    session->input_ms = now_ms;
    while (session->phase != SESSION_CLOSED) {
        struct span rest = SPAN(data.data + used, data.size - used);
        apply_records(session);
        if (has_event(session) || session->question != QUESTION_NONE || rest.size == 0)
            return used;
        if (session->header_size < FRAME_HEADER_SIZE)
            used += take_header(session, rest);
        else
            used += take_body(session, rest);
    }
    return data.size;
}

/* --- events ----------------------------------------------------------------------------------- */

struct session_event session_next_event(struct session *session)
{
    struct session_event event = {.type = SESSION_NOTHING};
    apply_records(session);
    if (session->end.type != SESSION_NOTHING) {
        event = session->end;
        session->end.type = SESSION_NOTHING;
        bytes_deinit(&session->body);
    } else if (session->opened) {
        event.type = SESSION_OPENED;
        session->opened = false;
    } else {
        event = session->event;
        session->event.type = SESSION_NOTHING;
    }
    return event;
}
