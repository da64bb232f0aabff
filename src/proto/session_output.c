/* SPDX-License-Identifier: ISC */
/*
 * The way out: records that have gathered become one packet.
 *
 *     ACK | answers (PONG, APPROVE, INSTANCE, CLONED) | lanes | items ... | PINGs | a step of a
 * rekey
 *
 * Answers come before items, so that they don't wait behind a long queue; what starts a clock on
 * our side goes with the next packet for the same reason.
 */
#include "base/cleanup.h"
#include "proto/packet.h"
#include "proto/session_state.h"

enum { NUMBER_RECORD_SIZE = RECORD_HEADER_SIZE + 8 };

static int append_number(struct bytes *records, enum record_type type, uint64_t number)
{
    uint8_t body[8];
    put_u64(body, number);
    return record_append(records, type, SPAN(body, sizeof body));
}

static int append_ack(const struct session *session, struct bytes *records)
{
    if (session->committed == session->committed_told)
        return 0;
    return append_number(records, RECORD_ACK, session->committed);
}

static int append_pings(const struct session *session, struct bytes *records)
{
    const struct pings *pings = &session->pings;
    int r = 0;
    for (size_t i = pings->open_count - pings_unsent(pings); i < pings->open_count && r == 0; i++)
        r = append_number(records, RECORD_PING, pings->open[i].token);
    return r;
}

static struct span waiting_items(const struct session *session)
{
    if (session->items.size == 0)
        return SPAN(NULL, 0);
    return SPAN(session->items.data + session->items_start,
                session->items.size - session->items_start);
}

/* As many whole items as fit into `room`, but at least one; items[0 .. *size - 1] and their count.
 */
static size_t gather_items(const struct session *session, size_t room, size_t *size)
{
    struct reader reader = reader_of(waiting_items(session));
    struct record record;
    size_t count = 0;
    *size = 0;
    while (record_next(&reader, &record)) {
        if (count > 0 && *size + record.whole.size > room)
            break;
        *size += record.whole.size;
        count++;
    }
    return count;
}

/* Takes sent items out; the rest moves down only now and then. */
static void drop_items(struct session *session, size_t size)
{
    session->items_start += size;
    if (session->items_start == session->items.size) {
        bytes_deinit(&session->items);
        session->items_start = 0;
    } else if (session->items_start > session->items.size / 2) {
        bytes_consume(&session->items, session->items_start);
        session->items_start = 0;
    }
}

/* Secrets of lanes don't leave in an epoch that is about to end: it may be known to others. */
static struct span waiting_lanes(const struct session *session)
{
    return session->epoch.state == EPOCH_SEND_DONE ? SPAN(NULL, 0) : bytes_span(&session->lanes);
}

static void mark_sent(struct session *session, size_t count, size_t size, uint64_t now_ms)
{
    session->committed_told = session->committed;
    bytes_deinit(&session->answers);
    if (waiting_lanes(session).size > 0)
        bytes_deinit(&session->lanes);
    if (count > 0) {
        drop_items(session, size);
        window_mark_sent(&session->window, count);
        batch_sent(&session->batch, size, session->window.sent, now_ms);
        session->epoch.items_flowed = true;
    }
    pings_mark_sent(&session->pings, now_ms);
    epoch_mark_sent(&session->epoch, now_ms);
}

static int seal(struct session *session, const struct bytes *records, struct bytes *out)
{
    const struct packet_sender sender = {.sid = session->sid, .role = session->role};
    return packet_seal(&session->epoch.sending, session->self, sender, bytes_span(records), out);
}

/* What one packet may carry besides `others` bytes of records. */
static size_t room_beside(const struct session *session, size_t others)
{
    size_t room =
        packet_room(session->batch.size, pubkey_modulus_size(identity_pubkey(session->self)));
    return room > others ? room - others : 0;
}

static int build_packet(struct session *session, struct bytes *out, uint64_t now_ms)
{
    CLEANUP(bytes_deinit) struct bytes records = {0};
    struct span step = epoch_due_record(&session->epoch);
    size_t tail = pings_unsent(&session->pings) * NUMBER_RECORD_SIZE + step.size;
    size_t items, items_size;
    int r = append_ack(session, &records);
    if (r == 0)
        r = bytes_append(&records, session->answers.data, session->answers.size);
    if (r == 0)
        r = bytes_append(&records, waiting_lanes(session).data, waiting_lanes(session).size);
    items = gather_items(session, room_beside(session, records.size + tail), &items_size);
    if (r == 0)
        r = bytes_append(&records, waiting_items(session).data, items_size);
    if (r == 0)
        r = append_pings(session, &records);
    if (r == 0)
        r = bytes_append(&records, step.data, step.size);
    if (r == 0)
        r = seal(session, &records, out);
    if (r == 0)
        mark_sent(session, items, items_size, now_ms);
    return r;
}

static bool has_records(const struct session *session)
{
    return session_established(session) &&
           (session->committed != session->committed_told || session->answers.size > 0 ||
            waiting_lanes(session).size > 0 || waiting_items(session).size > 0 ||
            pings_unsent(&session->pings) > 0 || epoch_due_record(&session->epoch).size > 0);
}

bool session_has_output(const struct session *session)
{
    return session->ready.size > 0 || has_records(session);
}

void session_output(struct session *session, struct bytes *out, uint64_t now_ms)
{
    if (session->ready.size > 0) {
        if (session_survives(session, bytes_append(out, session->ready.data, session->ready.size)))
            bytes_deinit(&session->ready);
        return;
    }
    if (!has_records(session))
        return;
    if (session_survives(session, build_packet(session, out, now_ms)))
        session_check_epoch(session, now_ms);
}

void session_say_close(struct session *session, enum close_code code)
{
    CLEANUP(bytes_deinit) struct bytes records = {0};
    const uint8_t value = (uint8_t)code;
    int r = append_ack(session, &records);
    if (r == 0)
        r = record_append(&records, RECORD_CLOSE, SPAN(&value, 1));
    if (r == 0)
        seal(session, &records, &session->ready);
}
