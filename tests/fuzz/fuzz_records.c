/* SPDX-License-Identifier: ISC */
/*
 * What a peer with keys may say: packets of any records, to an open session of either role.
 *
 * A packet with one bad record has no effect but the end of the session. Items come out as they
 * went in.
 *
 *     input: bit 0 the role; then steps of 1 byte: a packet (with the size of its records in 2
 *     bytes, and these), or something the session's owner does
 */
#include <string.h>

#include "dialogue/party.h"
#include "fuzz/fuzz.h"
#include "proto/features.h"
#include "proto/message.h"
#include "proto/record_check.h"
#include "unit/fake_random.h"

enum { START_MS = 1000000, STEPS_MAX = 200 };

enum step {
    STEP_PACKET,
    STEP_SPEAK,
    STEP_SEND_ITEM,
    STEP_PING,
    STEP_SECOND,
    STEP_MINUTE,
    STEP_HOUR,
    STEP_ACKNOWLEDGE,
    STEP_KINDS,
};

static struct {
    struct party victim;
    enum session_role role; /* of the peer who says the packets */
    uint64_t now_ms;
    struct reader items; /* of the latest packet, behind the last item that came out */
} stage;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    party_set_up();
    return 0;
}

/* The session gave an item: it is the packet's next. */
static void on_item(void *context, const struct session_event *event)
{
    struct session_item item;
    struct record record;
    (void)context;
    do
        assert(record_next(&stage.items, &record));
    while (record.type != RECORD_MESSAGE);
    assert(message_parse(record.body, session_features(stage.victim.session), &item) == 0);
    assert(uuid_equal(&item.id, &event->item.id) && item.time_ms == event->item.time_ms);
    assert(uuid_equal(&item.previous, &event->item.previous));
    assert(item.content.size == event->item.content.size);
    assert(memcmp(item.content.data, event->item.content.data, item.content.size) == 0);
}

/* A party that takes messages with headers. */
static void begin(struct party *party, enum session_role role)
{
    const struct session_settings settings = {.role = role,
                                              .self = party_identity(role),
                                              .suites = party_suites,
                                              .features = FEATURE_HEADERS | FEATURE_CALLS};
    party_init_as(party, &settings, START_MS);
}

/* From nothing to OPEN, with an honest peer. */
static void open_session(enum session_role role)
{
    struct party *victim = &stage.victim;
    struct party peer;
    stage.role = role;
    stage.now_ms = START_MS;
    begin(&peer, role);
    begin(victim, role == SESSION_HOST ? SESSION_JOINER : SESSION_HOST);
    party_converse(victim, &peer, 0, START_MS);
    assert(peer.opened == 1 && victim->opened == 1);
    party_deinit(&peer);
    victim->on_item = on_item;
}

/* Says a packet, sealed by the key that the session waits for. */
static void say(struct span records)
{
    const struct session *session = stage.victim.session;
    const struct packet_sender sender = {.sid = session->sid, .role = stage.role};
    struct chain chain = session->epoch.receiving;
    struct bytes packet = {0};
    uint64_t items = stage.victim.items, acked = stage.victim.acked;
    assert(packet_seal(&chain, party_identity(stage.role), sender, records, &packet) == 0);
    stage.items = reader_of(records);
    party_hear(&stage.victim, bytes_span(&packet), 0, stage.now_ms);
    bytes_deinit(&packet);
    const uint32_t features = session_features(session);
    if (records.size >= RECORD_HEADER_SIZE &&
        record_check(records, stage.role, SUITE_CLASSIC, features) == 0)
        return;
    assert(stage.victim.ended == 1 && !stage.victim.by_peer);
    assert(stage.victim.items == items && stage.victim.acked == acked);
}

static void say_packet(struct reader *input)
{
    size_t size = reader_u16(input);
    if (size > input->left)
        size = input->left;
    const uint8_t *records = reader_take(input, size);
    say(SPAN(records != NULL ? records : (const uint8_t *)"", size));
}

static void send_item(void)
{
    const struct session_item item = {.id = {{1}}, .content = SPAN("text", 4)};
    int r = session_send_item(stage.victim.session, &item, stage.now_ms);
    assert(r == 0 || r == SESSION_FULL);
}

static void pass(uint64_t ms)
{
    stage.now_ms += ms;
    party_tick(&stage.victim, stage.now_ms);
}

static void take_step(enum step step, struct reader *input)
{
    struct party *victim = &stage.victim;
    switch (step) {
    case STEP_PACKET:
        say_packet(input);
        break;
    case STEP_SPEAK:
        party_speak(victim, stage.now_ms);
        break;
    case STEP_SEND_ITEM:
        send_item();
        break;
    case STEP_PING:
        session_ping(victim->session, stage.now_ms, stage.now_ms);
        break;
    case STEP_SECOND:
        pass(1000);
        break;
    case STEP_MINUTE:
        pass(60 * 1000);
        break;
    case STEP_HOUR:
        pass(60 * 60 * 1000);
        break;
    case STEP_ACKNOWLEDGE:
        session_acknowledge(victim->session, victim->items);
        victim->keeps = !victim->keeps;
        break;
    case STEP_KINDS:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(SPAN(data, size));
    fake_random_reset();
    open_session(reader_u8(&input) & 1 ? SESSION_HOST : SESSION_JOINER);
    for (unsigned i = 0; i < STEPS_MAX && input.left > 0 && stage.victim.ended == 0; i++)
        take_step(reader_u8(&input) % STEP_KINDS, &input);
    party_speak(&stage.victim, stage.now_ms);
    assert(stage.victim.ended == 1 || session_phase(stage.victim.session) == SESSION_OPEN);
    party_deinit(&stage.victim);
    return 0;
}
