/* SPDX-License-Identifier: ISC */
/*
 * A session and its owner.
 */
#include "dialogue/party.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "crypto/crypto.h"
#include "proto/features.h"
#include "proto/headers.h"
#include "vectors/vectors.h"

/* What one buffer may have grown to for something that needs `size` bytes. */
#define GROWN(size) (2 * (size_t)(size) + 64)

unsigned party_suites;

static struct identity *joiner, *host;

const struct identity *party_identity(enum session_role role)
{
    return role == SESSION_JOINER ? joiner : host;
}

void party_set_up(void)
{
    assert(crypto_init() == 0);
    joiner = vector_identity("joiner_rsa_pkcs1_private");
    host = vector_identity("host_rsa_pkcs1_private");
}

void party_tear_down(void)
{
    identity_free(joiner);
    identity_free(host);
    crypto_deinit();
}

void party_init_as(struct party *party, const struct session_settings *settings, uint64_t now_ms)
{
    *party = (struct party){0};
    assert(session_new(&party->session, settings, now_ms) == 0);
}

void party_init(struct party *party, enum session_role role, uint64_t now_ms)
{
    const struct session_settings settings = {
        .role = role, .self = party_identity(role), .suites = party_suites};
    party_init_as(party, &settings, now_ms);
}

/* --- what always holds ------------------------------------------------------------------------ */

static void check_memory(const struct session *session)
{
    size_t frame_max = session->handshake != NULL
                           ? FRAME_HANDSHAKE_MAX
                           : FRAME_PACKET_OVERHEAD + FRAME_PACKET_PAYLOAD_MAX;
    assert(session->body.capacity <= GROWN(frame_max));
    assert(session->answers.capacity <= GROWN(SESSION_ANSWERS_MAX + RECORD_HEADER_SIZE + 8));
    assert(session->ready.capacity <= GROWN(2 * FRAME_HANDSHAKE_MAX + FRAME_PACKET_PAYLOAD_MIN));
}

static void check_end(const struct session *session)
{
    assert(session_deadline(session) == UINT64_MAX);
    assert(session->handshake == NULL && !session->keyed && session->question == QUESTION_NONE);
    assert(bytes_all_zero((const uint8_t *)&session->epoch, sizeof session->epoch));
    assert(session->items.data == NULL && session->answers.data == NULL);
}

void party_deinit(struct party *party)
{
    if (party->ended > 0)
        check_end(party->session);
    session_free(party->session);
    bytes_deinit(&party->log);
    bytes_deinit(&party->sent);
    free(party->events);
    *party = (struct party){0};
}

/* What is said is whole frames. */
static void judge_words(const struct party *party, size_t at)
{
    while (party->sent.size - at >= FRAME_HEADER_SIZE) {
        struct frame_header header = frame_header_get(party->sent.data + at);
        uint32_t alert = header.length == FRAME_CLEAR_ALERT_SIZE ? FRAME_CLEAR_ALERT_SIZE
                                                                 : FRAME_SEALED_ALERT_SIZE;
        assert(frame_acceptable(header, (enum frame_type)header.type, alert));
        assert(party->sent.size - at >= FRAME_HEADER_SIZE + header.length);
        at += FRAME_HEADER_SIZE + header.length;
    }
    assert(at == party->sent.size);
}

/* --- events ----------------------------------------------------------------------------------- */

/* Makes sure that one more event can be noted. */
static void make_place(struct party *party)
{
    if (party->event_count < party->event_capacity)
        return;
    party->event_capacity = 2 * party->event_capacity + 16;
    party->events = reallocarray(party->events, party->event_capacity, sizeof *party->events);
    assert(party->events != NULL);
    for (size_t i = 0; i < party->event_count; i++)
        party->events[i].event.item.content.data = (const uint8_t *)party->events[i].text;
}

/* All of an event, to be compared with another run. */
static void log_whole(struct party *party, const struct session_event *event)
{
    const uint64_t numbers[] = {event->type,  event->ordinal, event->item.time_ms, event->token,
                                event->epoch, event->code,    event->by_peer};
    assert(bytes_append(&party->log, numbers, sizeof numbers) == 0);
    assert(bytes_append(&party->log, event->item.content.data, event->item.content.size) == 0);
}

static void note(struct party *party, const struct session_event *event)
{
    if (party->logs)
        log_whole(party, event);
    make_place(party);
    struct party_event *noted = &party->events[party->event_count++];
    *noted = (struct party_event){.event = *event};
    if (event->type == SESSION_ITEM)
        snprintf(noted->text, sizeof noted->text, "%.*s", (int)event->item.content.size,
                 (const char *)event->item.content.data);
    if (event->type == SESSION_INSTANCE || event->type == SESSION_CLONED)
        memcpy(noted->text, event->instance.data, event->instance.size + event->other.size);
    noted->event.item.content = SPAN(noted->text, event->item.content.size);
}

static void check_content(const struct session_item *item)
{
    const struct span content = item->content;
    struct headers headers;
    struct span body;
    if (item->kind == SESSION_HEADERS) {
        assert(headers_parse(content, FEATURE_HEADERS | FEATURE_CALLS, &headers, &body) == 0);
        return;
    }
    assert(item->kind == SESSION_TEXT);
    assert(content.size >= 1 && content.size <= SESSION_TEXT_MAX);
    assert(memchr(content.data, '\0', content.size) == NULL);
    assert(utf8_valid((const char *)content.data, content.size));
}

static void take_item(struct party *party, const struct session_event *event)
{
    assert(party->opened == 1 && event->ordinal == party->items + 1);
    assert(!uuid_is_zero(&event->item.id));
    check_content(&event->item);
    party->items++;
    if (party->on_item != NULL)
        party->on_item(party->context, event);
    if (!party->keeps)
        session_acknowledge(party->session, event->ordinal);
}

static void take_identity(struct party *party, uint64_t now_ms)
{
    party->identified++;
    assert(party->identified == 1 && party->confirmed == 0);
    assert(session_peer(party->session) != NULL);
    if (!party->asks)
        session_admit(party->session, !party->stranger, now_ms);
}

static void take_confirmation(struct party *party, uint64_t now_ms)
{
    party->confirmed++;
    assert(party->confirmed == 1 && party->identified == 1 && party->opened == 0);
    if (!party->asks)
        session_establish(party->session, now_ms);
}

static void take(struct party *party, const struct session_event *event, uint64_t now_ms)
{
    assert(party->ended == 0);
    switch (event->type) {
    case SESSION_NOTHING:
        break;
    case SESSION_IDENTIFIED:
        take_identity(party, now_ms);
        break;
    case SESSION_CONFIRMED:
        take_confirmation(party, now_ms);
        break;
    case SESSION_OPENED:
        party->opened++;
        assert(party->opened == 1 && party->confirmed == 1);
        break;
    case SESSION_ITEM:
        take_item(party, event);
        break;
    case SESSION_ACKED:
        assert(party->opened == 1 && event->ordinal > party->acked);
        party->acked = event->ordinal;
        break;
    case SESSION_PONG:
    case SESSION_REKEYED:
    case SESSION_LANE:
    case SESSION_TOLD:
    case SESSION_INSTANCE:
    case SESSION_CLONED:
        assert(party->confirmed == 1);
        break;
    case SESSION_ENDED:
        party->ended++;
        party->code = event->code;
        party->by_peer = event->by_peer;
        check_end(party->session);
        break;
    }
}

void party_listen(struct party *party, uint64_t now_ms)
{
    struct session_event event;
    while ((event = session_next_event(party->session)).type != SESSION_NOTHING) {
        note(party, &event);
        take(party, &event, now_ms);
    }
    check_memory(party->session);
    assert(session_peer(party->session) != NULL || party->identified == 0);
}

/* --- bytes and time --------------------------------------------------------------------------- */

size_t party_hear(struct party *party, struct span data, size_t piece, uint64_t now_ms)
{
    size_t at = 0;
    while (at < data.size) {
        size_t size = data.size - at;
        if (piece != 0 && size > piece)
            size = piece;
        size_t used = session_input(party->session, SPAN(data.data + at, size), now_ms);
        assert(used <= size);
        party_listen(party, now_ms);
        at += used;
        if (party->session->question != QUESTION_NONE)
            break;
    }
    return at;
}

void party_speak(struct party *party, uint64_t now_ms)
{
    const size_t start = party->sent.size;
    while (session_has_output(party->session)) {
        size_t before = party->sent.size;
        session_output(party->session, &party->sent, now_ms);
        assert(party->sent.size > before);
    }
    judge_words(party, start);
    party_listen(party, now_ms);
}

void party_tick(struct party *party, uint64_t now_ms)
{
    if (now_ms < session_deadline(party->session))
        return;
    session_tick(party->session, now_ms);
    /* Else a daemon would spin. */
    assert(session_deadline(party->session) > now_ms || session_has_output(party->session));
    party_listen(party, now_ms);
}

int party_send_text(struct party *party, const char *text, unsigned counter, uint64_t now_ms)
{
    struct session_item item = {
        .time_ms = 1700000000000, .content = SPAN(text, strlen(text)), .handle = counter};
    put_u32(item.id.bytes, counter);
    return session_send_item(party->session, &item, now_ms);
}

/* --- looking back ----------------------------------------------------------------------------- */

size_t party_count(const struct party *party, enum session_event_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < party->event_count; i++)
        count += party->events[i].event.type == type;
    return count;
}

const struct session_event *party_last(const struct party *party, enum session_event_type type)
{
    size_t i = party->event_count;
    while (i > 0 && party->events[i - 1].event.type != type)
        i--;
    assert(i > 0);
    return &party->events[i - 1].event;
}

/* --- two of them ------------------------------------------------------------------------------ */

/* Whether anything was moved. */
static bool carry(struct party *from, struct party *to, size_t piece, uint64_t now_ms)
{
    party_listen(from, now_ms);
    party_speak(from, now_ms);
    struct bytes words = from->sent;
    from->sent = (struct bytes){0};
    party_hear(to, bytes_span(&words), piece, now_ms);
    const bool moved = words.size > 0;
    bytes_deinit(&words);
    return moved;
}

void party_converse(struct party *one, struct party *other, size_t piece, uint64_t now_ms)
{
    bool moved;
    do {
        moved = carry(one, other, piece, now_ms);
        moved = carry(other, one, piece, now_ms) || moved;
    } while (moved);
}
