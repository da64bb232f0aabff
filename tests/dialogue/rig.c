/* SPDX-License-Identifier: ISC */
/*
 * The rig: owners, wire and clock. What is expected of the sessions is in the tests.
 */
#include "dialogue/rig.h"

#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "unit/cmocka_all.h"
#include "vectors/vectors.h"

static struct identity *identities[2];

const struct identity *rig_identity(enum session_role role)
{
    return identities[role == SESSION_HOST];
}

int rig_group_setup(void **state)
{
    (void)state;
    if (crypto_init() != 0)
        return -1;
    identities[0] = vector_identity("joiner_rsa_pkcs1_private");
    identities[1] = vector_identity("host_rsa_pkcs1_private");
    return 0;
}

int rig_group_teardown(void **state)
{
    (void)state;
    identity_free(identities[0]);
    identity_free(identities[1]);
    crypto_deinit();
    return 0;
}

unsigned rig_suites = SUITE_BIT(SUITE_CLASSIC);

void party_init(struct party *party, enum session_role role, uint64_t now_ms)
{
    const struct session_settings settings = {
        .role = role, .self = rig_identity(role), .suites = rig_suites};
    memset(party, 0, sizeof(*party));
    assert_int_equal(session_new(&party->session, &settings, now_ms), 0);
}

void party_deinit(struct party *party)
{
    session_free(party->session);
    bytes_deinit(&party->sent);
    party->session = NULL;
}

static void note(struct party *party, const struct session_event *event)
{
    struct rig_event *noted = &party->events[party->event_count++];
    assert_true(party->event_count <= RIG_EVENTS_MAX);
    noted->event = *event;
    if (event->type == SESSION_ITEM)
        snprintf(noted->text, sizeof(noted->text), "%.*s", (int)event->item.text.size,
                 (const char *)event->item.text.data);
    noted->event.item.text = SPAN(noted->text, event->item.text.size);
}

static void answer(struct party *party, const struct session_event *event, uint64_t now_ms)
{
    switch (event->type) {
    case SESSION_IDENTIFIED:
        if (!party->asks)
            session_admit(party->session, !party->stranger, now_ms);
        break;
    case SESSION_CONFIRMED:
        if (!party->asks)
            session_establish(party->session, now_ms);
        break;
    case SESSION_ITEM:
        if (!party->keeps)
            session_acknowledge(party->session, event->ordinal);
        break;
    default:
        break;
    }
}

void party_listen(struct party *party, uint64_t now_ms)
{
    struct session_event event;
    while ((event = session_next_event(party->session)).type != SESSION_NOTHING) {
        note(party, &event);
        answer(party, &event, now_ms);
    }
}

void party_hear(struct party *party, struct span data, size_t segment, uint64_t now_ms)
{
    size_t at = 0;
    while (at < data.size) {
        size_t size = data.size - at;
        size_t used;
        if (segment != 0 && size > segment)
            size = segment;
        used = session_input(party->session, SPAN(data.data + at, size), now_ms);
        party_listen(party, now_ms);
        at += used;
        if (used == 0 && party->asks)
            return;
        assert_true(used <= size);
    }
}

void party_speak(struct party *party, uint64_t now_ms)
{
    while (session_has_output(party->session)) {
        size_t before = party->sent.size;
        session_output(party->session, &party->sent, now_ms);
        assert_true(party->sent.size > before);
    }
}

int party_send_text(struct party *party, const char *text, unsigned counter, uint64_t now_ms)
{
    struct session_item item = {.time_ms = 1700000000000, .text = SPAN(text, strlen(text))};
    put_u32(item.id.bytes, counter);
    return session_send_item(party->session, &item, now_ms);
}

size_t party_count(const struct party *party, enum session_event_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < party->event_count; i++)
        count += party->events[i].event.type == type;
    return count;
}

const struct session_event *party_last(const struct party *party, enum session_event_type type)
{
    for (size_t i = party->event_count; i-- > 0;) {
        if (party->events[i].event.type == type)
            return &party->events[i].event;
    }
    fail_msg("there was no event of type %d", (int)type);
    return NULL;
}

void rig_init(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->now_ms = RIG_START_MS;
    party_init(&rig->joiner, SESSION_JOINER, rig->now_ms);
    party_init(&rig->host, SESSION_HOST, rig->now_ms);
}

void rig_deinit(struct rig *rig)
{
    party_deinit(&rig->joiner);
    party_deinit(&rig->host);
}

/* Whether anything was moved. */
static bool carry(struct rig *rig, struct party *from, struct party *to)
{
    struct bytes wire;
    party_listen(from, rig->now_ms);
    party_speak(from, rig->now_ms);
    wire = from->sent;
    from->sent = (struct bytes){0};
    party_hear(to, bytes_span(&wire), rig->segment, rig->now_ms);

    bool moved = wire.size > 0;

    bytes_deinit(&wire);
    return moved;
}

void rig_run(struct rig *rig)
{
    bool moved;
    do {
        moved = carry(rig, &rig->joiner, &rig->host);
        moved = carry(rig, &rig->host, &rig->joiner) || moved;
    } while (moved);
}

void rig_open(struct rig *rig)
{
    rig_init(rig);
    rig_run(rig);
    assert_int_equal(session_phase(rig->joiner.session), SESSION_OPEN);
    assert_int_equal(session_phase(rig->host.session), SESSION_OPEN);
    rig->joiner.event_count = rig->host.event_count = 0;
}

void rig_pass(struct rig *rig, uint64_t ms)
{
    uint64_t end_ms = rig->now_ms + ms;
    rig_run(rig);
    while (rig->now_ms < end_ms) {
        uint64_t next_ms = end_ms;
        uint64_t joiner_ms = session_deadline(rig->joiner.session);
        uint64_t host_ms = session_deadline(rig->host.session);
        if (joiner_ms < next_ms)
            next_ms = joiner_ms;
        if (host_ms < next_ms)
            next_ms = host_ms;
        /* A deadline that stays in the past would spin a daemon. */
        assert_true(next_ms > rig->now_ms);
        rig->now_ms = next_ms;
        session_tick(rig->joiner.session, rig->now_ms);
        session_tick(rig->host.session, rig->now_ms);
        rig_run(rig);
    }
}
