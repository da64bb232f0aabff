/* SPDX-License-Identifier: ISC */
/*
 * A session and its owner.
 */
#include "fuzz/talker.h"

#include <string.h>

#include "base/utf8.h"
#include "crypto/crypto.h"
#include "fuzz/fuzz.h"
#include "vectors/vectors.h"

/* What one buffer may have grown to for something that needs `size` bytes. */
#define GROWN(size) (2 * (size_t)(size) + 64)

static struct identity *joiner, *host;

const struct identity *talker_identity(enum session_role role)
{
    return role == SESSION_JOINER ? joiner : host;
}

void talker_set_up(void)
{
    assert(crypto_init() == 0);
    joiner = vector_identity("joiner_rsa_pkcs1_private");
    host = vector_identity("host_rsa_pkcs1_private");
}

void talker_init_as(struct talker *talker, const struct session_settings *settings, uint64_t now_ms)
{
    *talker = (struct talker){0};
    assert(session_new(&talker->session, settings, now_ms) == 0);
}

void talker_init(struct talker *talker, enum session_role role, uint64_t now_ms)
{
    const struct session_settings settings = {.role = role, .self = talker_identity(role)};
    talker_init_as(talker, &settings, now_ms);
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

void talker_deinit(struct talker *talker)
{
    if (talker->ended > 0)
        check_end(talker->session);
    session_free(talker->session);
    bytes_deinit(&talker->log);
    bytes_deinit(&talker->said);
}

/* What is said is whole frames. */
static void judge_words(struct talker *talker)
{
    while (talker->said.size - talker->judged >= FRAME_HEADER_SIZE) {
        struct frame_header header = frame_header_get(talker->said.data + talker->judged);
        uint32_t alert = header.length == FRAME_CLEAR_ALERT_SIZE ? FRAME_CLEAR_ALERT_SIZE
                                                                 : FRAME_SEALED_ALERT_SIZE;
        assert(frame_acceptable(header, (enum frame_type)header.type, alert));
        assert(talker->said.size - talker->judged >= FRAME_HEADER_SIZE + header.length);
        talker->judged += FRAME_HEADER_SIZE + header.length;
    }
    assert(talker->judged == talker->said.size);
}

/* --- events ----------------------------------------------------------------------------------- */

static void note(struct talker *talker, const struct session_event *event)
{
    const uint64_t numbers[] = {event->type,  event->ordinal, event->item.time_ms, event->token,
                                event->epoch, event->code,    event->by_peer};
    assert(bytes_append(&talker->log, numbers, sizeof numbers) == 0);
    assert(bytes_append(&talker->log, event->item.text.data, event->item.text.size) == 0);
}

static void take_item(struct talker *talker, const struct session_event *event)
{
    const struct span text = event->item.text;
    assert(talker->opened == 1 && event->ordinal == talker->items + 1);
    assert(text.size >= 1 && text.size <= SESSION_TEXT_MAX && !uuid_is_zero(&event->item.id));
    assert(memchr(text.data, '\0', text.size) == NULL);
    assert(utf8_valid((const char *)text.data, text.size));
    talker->items++;
    if (talker->on_item != NULL)
        talker->on_item(talker->context, event);
    if (!talker->keeps)
        session_acknowledge(talker->session, event->ordinal);
}

static void take_identity(struct talker *talker, uint64_t now_ms)
{
    talker->identified++;
    assert(talker->identified == 1 && talker->confirmed == 0);
    assert(session_peer(talker->session) != NULL);
    if (!talker->asks_later)
        session_admit(talker->session, true, now_ms);
}

static void take_confirmation(struct talker *talker, uint64_t now_ms)
{
    talker->confirmed++;
    assert(talker->confirmed == 1 && talker->identified == 1 && talker->opened == 0);
    if (!talker->asks_later)
        session_establish(talker->session, now_ms);
}

static void take(struct talker *talker, const struct session_event *event, uint64_t now_ms)
{
    assert(talker->ended == 0);
    switch (event->type) {
    case SESSION_NOTHING:
        break;
    case SESSION_IDENTIFIED:
        take_identity(talker, now_ms);
        break;
    case SESSION_CONFIRMED:
        take_confirmation(talker, now_ms);
        break;
    case SESSION_OPENED:
        talker->opened++;
        assert(talker->opened == 1 && talker->confirmed == 1);
        break;
    case SESSION_ITEM:
        take_item(talker, event);
        break;
    case SESSION_ACKED:
        assert(talker->opened == 1 && event->ordinal > talker->acked);
        talker->acked = event->ordinal;
        break;
    case SESSION_PONG:
    case SESSION_REKEYED:
    case SESSION_LANE:
    case SESSION_TOLD:
        assert(talker->confirmed == 1);
        break;
    case SESSION_ENDED:
        talker->ended++;
        talker->code = event->code;
        talker->by_peer = event->by_peer;
        check_end(talker->session);
        break;
    }
}

void talker_listen(struct talker *talker, uint64_t now_ms)
{
    struct session_event event;
    while ((event = session_next_event(talker->session)).type != SESSION_NOTHING) {
        note(talker, &event);
        take(talker, &event, now_ms);
    }
    check_memory(talker->session);
    assert(session_peer(talker->session) != NULL || talker->identified == 0);
}

/* --- bytes and time --------------------------------------------------------------------------- */

size_t talker_hear(struct talker *talker, struct span data, size_t piece, uint64_t now_ms)
{
    size_t at = 0;
    while (at < data.size) {
        size_t size = data.size - at;
        if (piece != 0 && size > piece)
            size = piece;
        size_t used = session_input(talker->session, SPAN(data.data + at, size), now_ms);
        assert(used <= size);
        talker_listen(talker, now_ms);
        at += used;
        if (talker->session->question != QUESTION_NONE)
            break;
    }
    return at;
}

void talker_speak(struct talker *talker, uint64_t now_ms)
{
    while (session_has_output(talker->session)) {
        size_t before = talker->said.size;
        session_output(talker->session, &talker->said, now_ms);
        assert(talker->said.size > before);
    }
    judge_words(talker);
    talker_listen(talker, now_ms);
}

void talker_tick(struct talker *talker, uint64_t now_ms)
{
    if (now_ms < session_deadline(talker->session))
        return;
    session_tick(talker->session, now_ms);
    /* Else a daemon would spin. */
    assert(session_deadline(talker->session) > now_ms || session_has_output(talker->session));
    talker_listen(talker, now_ms);
}

static void carry(struct talker *from, struct talker *to, uint64_t now_ms)
{
    struct bytes words;
    talker_speak(from, now_ms);
    words = from->said;
    from->said = (struct bytes){0};
    from->judged = 0;
    talker_hear(to, bytes_span(&words), 0, now_ms);
    bytes_deinit(&words);
}

void talker_converse(struct talker *one, struct talker *other, uint64_t now_ms)
{
    while (session_has_output(one->session) || session_has_output(other->session)) {
        carry(one, other, now_ms);
        carry(other, one, now_ms);
    }
}
